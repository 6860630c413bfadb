"""The door of the cms domain: what HTTP and other domains may use."""

from cms_api.domains.cms.authors.interface import AUTHORS, AuthorChanges, AuthorService, AuthorView
from cms_api.domains.cms.authors.service import PERMISSIONS as AUTHOR_PERMISSIONS
from cms_api.domains.cms.bulk.interface import (
    MAX_OPERATIONS,
    Action,
    BatchService,
    BulkAction,
    BulkRequest,
    BulkService,
    Operation,
    Outcome,
)
from cms_api.domains.cms.comments.interface import (
    COMMENTS,
    CommentChanges,
    CommentService,
    CommentView,
    NewComment,
)
from cms_api.domains.cms.comments.policy import PERMISSIONS as COMMENT_PERMISSIONS
from cms_api.domains.cms.content_types.annotations import free_name
from cms_api.domains.cms.content_types.compiling import Authors, Locale, SeoInput, seo_of
from cms_api.domains.cms.content_types.conversions import Resolution
from cms_api.domains.cms.content_types.definition import Definition
from cms_api.domains.cms.content_types.interface import (
    PERMISSIONS as TYPE_PERMISSIONS,
)
from cms_api.domains.cms.content_types.interface import (
    TYPE_REVISIONS,
    TYPES,
    Applied,
    ContentTypeService,
    Plan,
    TypeChanges,
    TypeRevision,
    TypeView,
    details,
)
from cms_api.domains.cms.delivery.interface import (
    FIELDS,
    LISTINGS,
    Delivered,
    DeliveryService,
    Kind,
)
from cms_api.domains.cms.documents.content import Format, PageContent, PostContent, Seo
from cms_api.domains.cms.documents.including import RelatedService
from cms_api.domains.cms.documents.interface import (
    DOCUMENTS,
    ArticleView,
    DocumentService,
    DocumentView,
    Move,
    document_kind,
    is_whole,
)
from cms_api.domains.cms.documents.policy import PERMISSIONS as DOCUMENT_PERMISSIONS
from cms_api.domains.cms.documents.references import REFERENCES, DeletionPreview, Reference
from cms_api.domains.cms.documents.referrers import ReferenceService
from cms_api.domains.cms.documents.rendering import BodyFormat, Heading
from cms_api.domains.cms.documents.seo import DeliveredSeo
from cms_api.domains.cms.documents.types import DocumentTypes
from cms_api.domains.cms.entries.delivery import EntryDeliveryService
from cms_api.domains.cms.entries.described import EntryDescription
from cms_api.domains.cms.entries.interface import EntryChanges, EntryService, EntryView, PatchOperation
from cms_api.domains.cms.entries.listing import ANY_ENTRIES
from cms_api.domains.cms.feeds.interface import Feed, FeedItem, FeedPerson, FeedService, MovedFeed
from cms_api.domains.cms.feeds.interface import Position as FeedPosition
from cms_api.domains.cms.feeds.interface import Scope as FeedScope
from cms_api.domains.cms.imports.interface import PERMISSIONS as IMPORT_PERMISSIONS
from cms_api.domains.cms.imports.interface import ImportReport, ImportService
from cms_api.domains.cms.locks.interface import (
    PRESENCES,
    LockService,
    LockSummary,
    LockView,
    PresenceService,
    PresenceView,
)
from cms_api.domains.cms.media.interface import MEDIA, MediaChanges, MediaService, MediaView
from cms_api.domains.cms.media.ports import Storage
from cms_api.domains.cms.media.service import PERMISSIONS as MEDIA_PERMISSIONS
from cms_api.domains.cms.menus.interface import (
    MENUS,
    PUBLIC_MENUS,
    ItemChanges,
    ItemPlace,
    MenuChanges,
    MenuItemView,
    MenuService,
    MenuSummary,
    MenuUse,
    MenuView,
    NewMenu,
    PlacedItem,
    PublicMenuService,
)
from cms_api.domains.cms.menus.interface import PERMISSIONS as MENU_PERMISSIONS
from cms_api.domains.cms.menus.items import MAX_DEPTH as MAX_MENU_DEPTH
from cms_api.domains.cms.menus.items import MAX_ITEMS, NewItem, Target
from cms_api.domains.cms.pages.interface import (
    DEFAULT_DEPTH,
    MAX_DEPTH,
    MAX_PAGES,
    PAGES,
    PageChanges,
    PageService,
    PageTreeService,
    PageView,
    Place,
    Tree,
)
from cms_api.domains.cms.posts.interface import POSTS, PostChanges, PostService, PostView
from cms_api.domains.cms.previews.interface import PREVIEWS, IssuedPreview, PreviewService, PreviewView
from cms_api.domains.cms.previews.policy import PERMISSIONS as PREVIEW_PERMISSIONS
from cms_api.domains.cms.reader_comments.interface import (
    DELIVERED_COMMENTS,
    READER_COMMENTS,
    CommentRuleService,
    CommentSettingsView,
    DeliveredCommentService,
    Moderated,
    NewReaderComment,
    Quota,
    ReaderCommentChanges,
    ReaderCommentCounts,
    ReaderCommentService,
    ReaderCommentView,
    RuleChanges,
    SettingChanges,
    SubmissionService,
    SubmittedComment,
)
from cms_api.domains.cms.reader_comments.model import State as ReaderCommentState
from cms_api.domains.cms.reader_comments.policy import PERMISSIONS as READER_COMMENT_PERMISSIONS
from cms_api.domains.cms.reader_comments.rules import ReaderCommentRules
from cms_api.domains.cms.redirects.interface import (
    REDIRECTS,
    RedirectChanges,
    RedirectService,
    RedirectView,
)
from cms_api.domains.cms.redirects.model import Match
from cms_api.domains.cms.redirects.model import Status as RedirectStatus
from cms_api.domains.cms.redirects.service import PERMISSIONS as REDIRECT_PERMISSIONS
from cms_api.domains.cms.redirects.wanted import Wanted
from cms_api.domains.cms.rendering.interface import RenderingService
from cms_api.domains.cms.retention.interface import PERMISSIONS as RETENTION_PERMISSIONS
from cms_api.domains.cms.retention.interface import (
    RETENTION_POLICIES,
    RetentionChanges,
    RetentionPolicy,
    RetentionService,
)
from cms_api.domains.cms.revisions.interface import (
    REVISIONS,
    Diff,
    Ref,
    RevisionChanges,
    RevisionDetail,
    RevisionService,
    RevisionView,
)
from cms_api.domains.cms.schedules.interface import (
    SCHEDULES,
    SCHEDULES_OF_DOCUMENT,
    ScheduleChanges,
    ScheduleService,
    ScheduleView,
)
from cms_api.domains.cms.search.interface import FACETS, SEARCH, Facet, Highlights, Hits, SearchService
from cms_api.domains.cms.site.facts import SiteFacts
from cms_api.domains.cms.site.interface import PERMISSIONS as SITE_PERMISSIONS
from cms_api.domains.cms.site.interface import (
    FeedContent,
    FeedSettings,
    FeedSettingsChanges,
    PublicSiteService,
    RobotsSettings,
    RobotsSettingsChanges,
    SeoSettings,
    SeoSettingsChanges,
    SettingsChanges,
    SitePaths,
    SitePathsChanges,
    SiteService,
    SiteSettings,
    SocialLink,
)
from cms_api.domains.cms.sitemaps.interface import (
    MapEntry,
    MapKind,
    MapPart,
    SiteMap,
    SiteMapPart,
    SiteMapService,
)
from cms_api.domains.cms.sync.interface import KINDS as SYNC_KINDS
from cms_api.domains.cms.sync.interface import PERMISSIONS as SYNC_PERMISSIONS
from cms_api.domains.cms.sync.interface import (
    ChangeSignal,
    Position,
    Purge,
    PurgePage,
    PurgeService,
    SyncFilter,
    SyncItem,
    SyncKind,
    SyncPage,
    SyncService,
)
from cms_api.domains.cms.taxonomies.interface import CATEGORIES, TAGS, TermChanges, TermService, TermView
from cms_api.domains.cms.taxonomies.model import Taxonomy
from cms_api.domains.cms.taxonomies.service import PERMISSIONS as TERM_PERMISSIONS
from cms_api.domains.cms.workflow.interface import PERMISSIONS as WORKFLOW_PERMISSIONS
from cms_api.domains.cms.workflow.interface import (
    TASKS,
    WORKFLOWS,
    TaskService,
    TaskView,
    WorkflowChanges,
    WorkflowService,
)
from cms_api.domains.cms.workflow.model import Stage, Transition, Workflow

PERMISSIONS: dict[str, str] = {
    **DOCUMENT_PERMISSIONS,
    **TYPE_PERMISSIONS,
    **AUTHOR_PERMISSIONS,
    **TERM_PERMISSIONS,
    **MEDIA_PERMISSIONS,
    **IMPORT_PERMISSIONS,
    **RETENTION_PERMISSIONS,
    **COMMENT_PERMISSIONS,
    **WORKFLOW_PERMISSIONS,
    **READER_COMMENT_PERMISSIONS,
    **REDIRECT_PERMISSIONS,
    **MENU_PERMISSIONS,
    **PREVIEW_PERMISSIONS,
    **SITE_PERMISSIONS,
    **SYNC_PERMISSIONS,
}

__all__ = [
    "ANY_ENTRIES",
    "AUTHORS",
    "CATEGORIES",
    "COMMENTS",
    "DEFAULT_DEPTH",
    "DELIVERED_COMMENTS",
    "DOCUMENTS",
    "FACETS",
    "FIELDS",
    "LISTINGS",
    "MAX_DEPTH",
    "MAX_ITEMS",
    "MAX_MENU_DEPTH",
    "MAX_OPERATIONS",
    "MAX_PAGES",
    "MEDIA",
    "MENUS",
    "PAGES",
    "PERMISSIONS",
    "POSTS",
    "PRESENCES",
    "PREVIEWS",
    "PUBLIC_MENUS",
    "READER_COMMENTS",
    "REDIRECTS",
    "REFERENCES",
    "RETENTION_POLICIES",
    "REVISIONS",
    "SCHEDULES",
    "SCHEDULES_OF_DOCUMENT",
    "SEARCH",
    "SYNC_KINDS",
    "TAGS",
    "TASKS",
    "TYPES",
    "TYPE_REVISIONS",
    "WORKFLOWS",
    "Action",
    "Applied",
    "ArticleView",
    "AuthorChanges",
    "AuthorService",
    "AuthorView",
    "Authors",
    "BatchService",
    "BodyFormat",
    "BulkAction",
    "BulkRequest",
    "BulkService",
    "ChangeSignal",
    "CommentChanges",
    "CommentRuleService",
    "CommentService",
    "CommentSettingsView",
    "CommentView",
    "ContentTypeService",
    "Definition",
    "DeletionPreview",
    "Delivered",
    "DeliveredCommentService",
    "DeliveredSeo",
    "DeliveryService",
    "Diff",
    "DocumentService",
    "DocumentTypes",
    "DocumentView",
    "EntryChanges",
    "EntryDeliveryService",
    "EntryDescription",
    "EntryService",
    "EntryView",
    "Facet",
    "Feed",
    "FeedContent",
    "FeedItem",
    "FeedPerson",
    "FeedPosition",
    "FeedScope",
    "FeedService",
    "FeedSettings",
    "FeedSettingsChanges",
    "Format",
    "Heading",
    "Highlights",
    "Hits",
    "ImportReport",
    "ImportService",
    "IssuedPreview",
    "ItemChanges",
    "ItemPlace",
    "Kind",
    "Locale",
    "LockService",
    "LockSummary",
    "LockView",
    "MapEntry",
    "MapKind",
    "MapPart",
    "Match",
    "MediaChanges",
    "MediaService",
    "MediaView",
    "MenuChanges",
    "MenuItemView",
    "MenuService",
    "MenuSummary",
    "MenuUse",
    "MenuView",
    "Moderated",
    "Move",
    "MovedFeed",
    "NewComment",
    "NewItem",
    "NewMenu",
    "NewReaderComment",
    "Operation",
    "Outcome",
    "PageChanges",
    "PageContent",
    "PageService",
    "PageTreeService",
    "PageView",
    "PatchOperation",
    "Place",
    "PlacedItem",
    "Plan",
    "Position",
    "PostChanges",
    "PostContent",
    "PostService",
    "PostView",
    "PresenceService",
    "PresenceView",
    "PreviewService",
    "PreviewView",
    "PublicMenuService",
    "PublicSiteService",
    "Purge",
    "PurgePage",
    "PurgeService",
    "Quota",
    "ReaderCommentChanges",
    "ReaderCommentCounts",
    "ReaderCommentRules",
    "ReaderCommentService",
    "ReaderCommentState",
    "ReaderCommentView",
    "RedirectChanges",
    "RedirectService",
    "RedirectStatus",
    "RedirectView",
    "Ref",
    "Reference",
    "ReferenceService",
    "RelatedService",
    "RenderingService",
    "Resolution",
    "RetentionChanges",
    "RetentionPolicy",
    "RetentionService",
    "RevisionChanges",
    "RevisionDetail",
    "RevisionService",
    "RevisionView",
    "RobotsSettings",
    "RobotsSettingsChanges",
    "RuleChanges",
    "ScheduleChanges",
    "ScheduleService",
    "ScheduleView",
    "SearchService",
    "Seo",
    "SeoInput",
    "SeoSettings",
    "SeoSettingsChanges",
    "SettingChanges",
    "SettingsChanges",
    "SiteFacts",
    "SiteMap",
    "SiteMapPart",
    "SiteMapService",
    "SitePaths",
    "SitePathsChanges",
    "SiteService",
    "SiteSettings",
    "SocialLink",
    "Stage",
    "Storage",
    "SubmissionService",
    "SubmittedComment",
    "SyncFilter",
    "SyncItem",
    "SyncKind",
    "SyncPage",
    "SyncService",
    "Target",
    "TaskService",
    "TaskView",
    "Taxonomy",
    "TermChanges",
    "TermService",
    "TermView",
    "Transition",
    "Tree",
    "TypeChanges",
    "TypeRevision",
    "TypeView",
    "Wanted",
    "Workflow",
    "WorkflowChanges",
    "WorkflowService",
    "details",
    "document_kind",
    "free_name",
    "is_whole",
    "seo_of",
]
