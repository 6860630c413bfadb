"""The cms domain over HTTP."""

from litestar.types import ControllerRouterHandler

from cms_api.adapters.http.cms.batch import BatchController
from cms_api.adapters.http.cms.bulk import PageBulkController, PostBulkController
from cms_api.adapters.http.cms.comments import PageCommentController, PostCommentController
from cms_api.adapters.http.cms.content_types import ContentTypeController
from cms_api.adapters.http.cms.delivery import DELIVERY_ROUTES as DOCUMENT_DELIVERY
from cms_api.adapters.http.cms.documents import PageController, PostController
from cms_api.adapters.http.cms.entries import (
    EntryBulkController,
    EntryCommentController,
    EntryController,
    EntryLockController,
    EntryMoves,
    EntryRevisionController,
    EntryScheduleController,
    MoreEntryController,
)
from cms_api.adapters.http.cms.entry_delivery import ENTRY_DELIVERY_ROUTES
from cms_api.adapters.http.cms.feeds import FEED_ROUTES
from cms_api.adapters.http.cms.locks import PageLockController, PostLockController
from cms_api.adapters.http.cms.media import MediaController, UploadController, media_file
from cms_api.adapters.http.cms.menus import MenuController
from cms_api.adapters.http.cms.page_tree import PageTreeController, live_tree
from cms_api.adapters.http.cms.previews import (
    EntryPreviewController,
    PagePreviewController,
    PostPreviewController,
    PreviewController,
)
from cms_api.adapters.http.cms.public_menus import PUBLIC_MENU_ROUTES
from cms_api.adapters.http.cms.reader_comments import (
    READER_COMMENT_ROUTES,
    EntryCommentSettingsController,
    PageCommentSettingsController,
    PostCommentSettingsController,
    ReaderCommentController,
)
from cms_api.adapters.http.cms.redirects import RedirectController, resolve
from cms_api.adapters.http.cms.references import REFERENCE_ROUTES
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
from cms_api.adapters.http.cms.search import search_content
from cms_api.adapters.http.cms.site import PUBLIC_SITE_ROUTES, SettingsController
from cms_api.adapters.http.cms.sitemaps import SITEMAP_ROUTES
from cms_api.adapters.http.cms.sync import SYNC_ROUTES, PurgeController
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
    ContentTypeController,
    EntryController,
    EntryRevisionController,
    EntryLockController,
    EntryCommentController,
    EntryScheduleController,
    EntryMoves,
    EntryBulkController,
    MoreEntryController,
    AuthorController,
    CategoryController,
    TagController,
    MediaController,
    PostScheduleController,
    PageScheduleController,
    CalendarController,
    ReaderCommentController,
    PostCommentSettingsController,
    PageCommentSettingsController,
    EntryCommentSettingsController,
    RedirectController,
    PageTreeController,
    MenuController,
    SettingsController,
    PurgeController,
    PostPreviewController,
    PagePreviewController,
    EntryPreviewController,
    PreviewController,
    *REFERENCE_ROUTES,
]
DELIVERY_ROUTES: list[ControllerRouterHandler] = [
    *DOCUMENT_DELIVERY,
    *ENTRY_DELIVERY_ROUTES,
    *READER_COMMENT_ROUTES,
    *PUBLIC_MENU_ROUTES,
    *PUBLIC_SITE_ROUTES,
    *SYNC_ROUTES,
    resolve,
    live_tree,
    search_content,
]
UPLOAD_ROUTES: list[ControllerRouterHandler] = [UploadController]
FILE_ROUTES: list[ControllerRouterHandler] = [media_file, *FEED_ROUTES, *SITEMAP_ROUTES]

__all__ = ["DELIVERY_ROUTES", "FILE_ROUTES", "ROUTES", "UPLOAD_ROUTES"]
