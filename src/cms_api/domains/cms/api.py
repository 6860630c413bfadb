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
from cms_api.domains.cms.content_types.definition import Definition
from cms_api.domains.cms.content_types.interface import (
    PERMISSIONS as TYPE_PERMISSIONS,
)
from cms_api.domains.cms.content_types.interface import (
    TYPES,
    Applied,
    ContentTypeService,
    Plan,
    TypeChanges,
    TypeRevision,
    TypeView,
)
from cms_api.domains.cms.delivery.interface import (
    FIELDS,
    INCLUDES,
    LISTINGS,
    Delivered,
    DeliveryService,
    Kind,
    Selection,
)
from cms_api.domains.cms.documents.content import Format, PageContent, PostContent, Seo
from cms_api.domains.cms.documents.interface import (
    DOCUMENTS,
    ArticleView,
    DocumentService,
    DocumentView,
    Move,
    is_whole,
)
from cms_api.domains.cms.documents.policy import PERMISSIONS as DOCUMENT_PERMISSIONS
from cms_api.domains.cms.documents.types import DocumentTypes
from cms_api.domains.cms.entries.described import EntryDescription
from cms_api.domains.cms.entries.interface import EntryChanges, EntryService, EntryView, PatchOperation
from cms_api.domains.cms.imports.interface import PERMISSIONS as IMPORT_PERMISSIONS
from cms_api.domains.cms.imports.interface import ImportReport, ImportService
from cms_api.domains.cms.locks.interface import (
    LockService,
    LockSummary,
    LockView,
    PresenceService,
    PresenceView,
)
from cms_api.domains.cms.media.interface import MEDIA, MediaChanges, MediaService, MediaView
from cms_api.domains.cms.media.ports import Storage
from cms_api.domains.cms.media.service import PERMISSIONS as MEDIA_PERMISSIONS
from cms_api.domains.cms.pages.interface import PAGES, PageChanges, PageService, PageView
from cms_api.domains.cms.posts.interface import POSTS, PostChanges, PostService, PostView
from cms_api.domains.cms.retention.interface import PERMISSIONS as RETENTION_PERMISSIONS
from cms_api.domains.cms.retention.interface import RetentionChanges, RetentionPolicy, RetentionService
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
from cms_api.domains.cms.taxonomies.interface import CATEGORIES, TAGS, TermChanges, TermService, TermView
from cms_api.domains.cms.taxonomies.model import Taxonomy
from cms_api.domains.cms.taxonomies.service import PERMISSIONS as TERM_PERMISSIONS
from cms_api.domains.cms.workflow.interface import PERMISSIONS as WORKFLOW_PERMISSIONS
from cms_api.domains.cms.workflow.interface import (
    TASKS,
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
}

__all__ = [
    "AUTHORS",
    "CATEGORIES",
    "COMMENTS",
    "DOCUMENTS",
    "FIELDS",
    "INCLUDES",
    "LISTINGS",
    "MAX_OPERATIONS",
    "MEDIA",
    "PAGES",
    "PERMISSIONS",
    "POSTS",
    "REVISIONS",
    "SCHEDULES",
    "SCHEDULES_OF_DOCUMENT",
    "TAGS",
    "TASKS",
    "TYPES",
    "Action",
    "Applied",
    "ArticleView",
    "AuthorChanges",
    "AuthorService",
    "AuthorView",
    "BatchService",
    "BulkAction",
    "BulkRequest",
    "BulkService",
    "CommentChanges",
    "CommentService",
    "CommentView",
    "ContentTypeService",
    "Definition",
    "Delivered",
    "DeliveryService",
    "Diff",
    "DocumentService",
    "DocumentTypes",
    "DocumentView",
    "EntryChanges",
    "EntryDescription",
    "EntryService",
    "EntryView",
    "Format",
    "ImportReport",
    "ImportService",
    "Kind",
    "LockService",
    "LockSummary",
    "LockView",
    "MediaChanges",
    "MediaService",
    "MediaView",
    "Move",
    "NewComment",
    "Operation",
    "Outcome",
    "PageChanges",
    "PageContent",
    "PageService",
    "PageView",
    "PatchOperation",
    "Plan",
    "PostChanges",
    "PostContent",
    "PostService",
    "PostView",
    "PresenceService",
    "PresenceView",
    "Ref",
    "RetentionChanges",
    "RetentionPolicy",
    "RetentionService",
    "RevisionChanges",
    "RevisionDetail",
    "RevisionService",
    "RevisionView",
    "ScheduleChanges",
    "ScheduleService",
    "ScheduleView",
    "Selection",
    "Seo",
    "Stage",
    "Storage",
    "TaskService",
    "TaskView",
    "Taxonomy",
    "TermChanges",
    "TermService",
    "TermView",
    "Transition",
    "TypeChanges",
    "TypeRevision",
    "TypeView",
    "Workflow",
    "WorkflowChanges",
    "WorkflowService",
    "is_whole",
]
