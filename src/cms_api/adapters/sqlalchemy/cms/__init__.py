"""The cms domain's side of the database."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.cms.addresses import SqlAlchemyAddresses
from cms_api.adapters.sqlalchemy.cms.comment_rules import SqlAlchemyPlaces, SqlAlchemyRates, SqlAlchemyRules
from cms_api.adapters.sqlalchemy.cms.comments import SqlAlchemyComments
from cms_api.adapters.sqlalchemy.cms.content_types import SqlAlchemyContentTypes, SqlAlchemyModelledDocuments
from cms_api.adapters.sqlalchemy.cms.documents import SqlAlchemyDocuments
from cms_api.adapters.sqlalchemy.cms.imports import SqlAlchemyImportSources
from cms_api.adapters.sqlalchemy.cms.locks import SqlAlchemyLocks, SqlAlchemyPresences
from cms_api.adapters.sqlalchemy.cms.menus import SqlAlchemyMenus
from cms_api.adapters.sqlalchemy.cms.page_tree import SqlAlchemyTree
from cms_api.adapters.sqlalchemy.cms.previews import SqlAlchemyPreviews, SqlAlchemyPreviewStage
from cms_api.adapters.sqlalchemy.cms.publications import SqlAlchemyPublications
from cms_api.adapters.sqlalchemy.cms.reader_comments import SqlAlchemyCommenters, SqlAlchemyReaderComments
from cms_api.adapters.sqlalchemy.cms.redirects import SqlAlchemyRedirects
from cms_api.adapters.sqlalchemy.cms.references import SqlAlchemyReferences
from cms_api.adapters.sqlalchemy.cms.resources import (
    SqlAlchemyAuthors,
    SqlAlchemyFormerSlugs,
    SqlAlchemyMedia,
    SqlAlchemyTerms,
)
from cms_api.adapters.sqlalchemy.cms.retention import SqlAlchemyRetention
from cms_api.adapters.sqlalchemy.cms.revisions import SqlAlchemyRevisions
from cms_api.adapters.sqlalchemy.cms.schedules import SqlAlchemySchedules
from cms_api.adapters.sqlalchemy.cms.search_index import SqlAlchemySearchIndex
from cms_api.adapters.sqlalchemy.cms.site import SqlAlchemySite, SqlAlchemySiteTargets
from cms_api.adapters.sqlalchemy.cms.subjects import SqlAlchemySubjects
from cms_api.adapters.sqlalchemy.cms.sync import SqlAlchemyChanges
from cms_api.adapters.sqlalchemy.cms.translations import SqlAlchemyTranslations
from cms_api.adapters.sqlalchemy.cms.workflow import SqlAlchemyTasks, SqlAlchemyWorkflows
from cms_api.domains.cms.authors.ports import AuthorRepository
from cms_api.domains.cms.comments.ports import CommentRepository
from cms_api.domains.cms.content_types.ports import (
    AddressRepository,
    ContentTypeRepository,
    ModelledDocuments,
)
from cms_api.domains.cms.documents.ports import DocumentRepository, PublicationRepository, ReferenceRepository
from cms_api.domains.cms.documents.subjects import SubjectRepository
from cms_api.domains.cms.entries.ports import TranslationRepository
from cms_api.domains.cms.former_slugs import FormerSlugRepository
from cms_api.domains.cms.imports.ports import ImportSources
from cms_api.domains.cms.locks.ports import LockRepository, PresenceRepository
from cms_api.domains.cms.media.ports import MediaRepository
from cms_api.domains.cms.menus.ports import MenuRepository
from cms_api.domains.cms.pages.ports import TreeRepository
from cms_api.domains.cms.previews.ports import PreviewRepository, PreviewStage
from cms_api.domains.cms.reader_comments.ports import (
    CommenterRepository,
    PlaceRepository,
    RateRepository,
    ReaderCommentRepository,
    RulesRepository,
)
from cms_api.domains.cms.redirects.ports import RedirectRepository
from cms_api.domains.cms.retention.ports import RetentionRepository
from cms_api.domains.cms.revisions.ports import RevisionRepository
from cms_api.domains.cms.schedules.ports import ScheduleRepository
from cms_api.domains.cms.search.ports import SearchIndex
from cms_api.domains.cms.site.ports import SiteRepository, SiteTargets
from cms_api.domains.cms.sync.ports import ChangeRepository
from cms_api.domains.cms.taxonomies.ports import TermRepository
from cms_api.domains.cms.workflow.ports import TaskRepository, WorkflowRepository

REPOSITORIES: dict[type, Callable[[AsyncSession], Any]] = {
    ContentTypeRepository: SqlAlchemyContentTypes,
    ModelledDocuments: SqlAlchemyModelledDocuments,
    AddressRepository: SqlAlchemyAddresses,
    TranslationRepository: SqlAlchemyTranslations,
    DocumentRepository: SqlAlchemyDocuments,
    PublicationRepository: SqlAlchemyPublications,
    ReferenceRepository: SqlAlchemyReferences,
    SearchIndex: SqlAlchemySearchIndex,
    AuthorRepository: SqlAlchemyAuthors,
    TermRepository: SqlAlchemyTerms,
    FormerSlugRepository: SqlAlchemyFormerSlugs,
    MediaRepository: SqlAlchemyMedia,
    ImportSources: SqlAlchemyImportSources,
    RevisionRepository: SqlAlchemyRevisions,
    RetentionRepository: SqlAlchemyRetention,
    SubjectRepository: SqlAlchemySubjects,
    LockRepository: SqlAlchemyLocks,
    PresenceRepository: SqlAlchemyPresences,
    CommentRepository: SqlAlchemyComments,
    ScheduleRepository: SqlAlchemySchedules,
    WorkflowRepository: SqlAlchemyWorkflows,
    TaskRepository: SqlAlchemyTasks,
    ReaderCommentRepository: SqlAlchemyReaderComments,
    CommenterRepository: SqlAlchemyCommenters,
    RateRepository: SqlAlchemyRates,
    RulesRepository: SqlAlchemyRules,
    PlaceRepository: SqlAlchemyPlaces,
    RedirectRepository: SqlAlchemyRedirects,
    TreeRepository: SqlAlchemyTree,
    MenuRepository: SqlAlchemyMenus,
    SiteRepository: SqlAlchemySite,
    SiteTargets: SqlAlchemySiteTargets,
    ChangeRepository: SqlAlchemyChanges,
    PreviewRepository: SqlAlchemyPreviews,
    PreviewStage: SqlAlchemyPreviewStage,
}
