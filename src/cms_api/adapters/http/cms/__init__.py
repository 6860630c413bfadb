"""The cms domain over HTTP."""

from litestar.types import ControllerRouterHandler

from cms_api.adapters.http.cms.batch import BatchController
from cms_api.adapters.http.cms.bulk import PageBulkController, PostBulkController
from cms_api.adapters.http.cms.comments import PageCommentController, PostCommentController
from cms_api.adapters.http.cms.delivery import DELIVERY_ROUTES as CONTENT_ROUTES
from cms_api.adapters.http.cms.documents import PageController, PostController
from cms_api.adapters.http.cms.locks import PageLockController, PostLockController
from cms_api.adapters.http.cms.media import MediaController, UploadController, media_file
from cms_api.adapters.http.cms.menus import MenuController
from cms_api.adapters.http.cms.public_menus import PUBLIC_MENU_ROUTES
from cms_api.adapters.http.cms.resources import AuthorController, CategoryController, TagController
from cms_api.adapters.http.cms.revisions import (
    PageRevisionController,
    PostRevisionController,
    RetentionController,
)
from cms_api.adapters.http.cms.schedules import (
    CalendarController,
    PageScheduleController,
    PostScheduleController,
)
from cms_api.adapters.http.cms.site import PUBLIC_SITE_ROUTES, SettingsController
from cms_api.adapters.http.cms.workflow import PageMoves, PostMoves, TaskController, WorkflowController

ROUTES: list[ControllerRouterHandler] = [
    PostController,
    PageController,
    PostRevisionController,
    PageRevisionController,
    RetentionController,
    BatchController,
    PostBulkController,
    PageBulkController,
    PostLockController,
    PageLockController,
    PostCommentController,
    PageCommentController,
    PostMoves,
    PageMoves,
    WorkflowController,
    TaskController,
    AuthorController,
    CategoryController,
    TagController,
    MediaController,
    PostScheduleController,
    PageScheduleController,
    CalendarController,
    MenuController,
    SettingsController,
]
DELIVERY_ROUTES: list[ControllerRouterHandler] = [*CONTENT_ROUTES, *PUBLIC_MENU_ROUTES, *PUBLIC_SITE_ROUTES]
UPLOAD_ROUTES: list[ControllerRouterHandler] = [UploadController]
FILE_ROUTES: list[ControllerRouterHandler] = [media_file]

__all__ = ["DELIVERY_ROUTES", "FILE_ROUTES", "ROUTES", "UPLOAD_ROUTES"]
