"""The door of the cms domain: what HTTP and other domains may use."""

from cms_api.domains.cms.authors.interface import AUTHORS, AuthorChanges, AuthorService, AuthorView
from cms_api.domains.cms.authors.service import PERMISSIONS as AUTHOR_PERMISSIONS
from cms_api.domains.cms.delivery.interface import (
    FIELDS,
    INCLUDES,
    LISTINGS,
    Delivered,
    DeliveryService,
    Kind,
    Selection,
)
from cms_api.domains.cms.documents.content import Format, Seo
from cms_api.domains.cms.documents.policy import PERMISSIONS as DOCUMENT_PERMISSIONS
from cms_api.domains.cms.imports.interface import PERMISSIONS as IMPORT_PERMISSIONS
from cms_api.domains.cms.imports.interface import ImportReport, ImportService
from cms_api.domains.cms.media.interface import MEDIA, MediaChanges, MediaService, MediaView
from cms_api.domains.cms.media.ports import Storage
from cms_api.domains.cms.media.service import PERMISSIONS as MEDIA_PERMISSIONS
from cms_api.domains.cms.pages.interface import PAGES, PageChanges, PageService, PageView
from cms_api.domains.cms.posts.interface import POSTS, PostChanges, PostService, PostView
from cms_api.domains.cms.schedules.interface import (
    SCHEDULES,
    SCHEDULES_OF_DOCUMENT,
    ScheduleChanges,
    ScheduleService,
    ScheduleView,
)
from cms_api.domains.cms.taxonomies.interface import CATEGORIES, TAGS, TermChanges, TermService, TermView
from cms_api.domains.cms.taxonomies.model import Taxonomy
from cms_api.domains.cms.taxonomies.service import PERMISSIONS as TERM_PERMISSIONS

PERMISSIONS: dict[str, str] = {
    **DOCUMENT_PERMISSIONS,
    **AUTHOR_PERMISSIONS,
    **TERM_PERMISSIONS,
    **MEDIA_PERMISSIONS,
    **IMPORT_PERMISSIONS,
}

__all__ = [
    "AUTHORS",
    "CATEGORIES",
    "FIELDS",
    "INCLUDES",
    "LISTINGS",
    "MEDIA",
    "PAGES",
    "PERMISSIONS",
    "POSTS",
    "SCHEDULES",
    "SCHEDULES_OF_DOCUMENT",
    "TAGS",
    "AuthorChanges",
    "AuthorService",
    "AuthorView",
    "Delivered",
    "DeliveryService",
    "Format",
    "ImportReport",
    "ImportService",
    "Kind",
    "MediaChanges",
    "MediaService",
    "MediaView",
    "PageChanges",
    "PageService",
    "PageView",
    "PostChanges",
    "PostService",
    "PostView",
    "ScheduleChanges",
    "ScheduleService",
    "ScheduleView",
    "Selection",
    "Seo",
    "Storage",
    "Taxonomy",
    "TermChanges",
    "TermService",
    "TermView",
]
