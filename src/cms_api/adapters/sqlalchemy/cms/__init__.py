"""The cms domain's side of the database."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.cms.documents import SqlAlchemyDocuments
from cms_api.adapters.sqlalchemy.cms.imports import SqlAlchemyImportSources
from cms_api.adapters.sqlalchemy.cms.resources import SqlAlchemyAuthors, SqlAlchemyMedia, SqlAlchemyTerms
from cms_api.adapters.sqlalchemy.cms.schedules import SqlAlchemySchedules
from cms_api.domains.cms.authors.ports import AuthorRepository
from cms_api.domains.cms.documents.ports import DocumentRepository
from cms_api.domains.cms.imports.ports import ImportSources
from cms_api.domains.cms.media.ports import MediaRepository
from cms_api.domains.cms.schedules.ports import ScheduleRepository
from cms_api.domains.cms.taxonomies.ports import TermRepository

REPOSITORIES: dict[type, Callable[[AsyncSession], Any]] = {
    DocumentRepository: SqlAlchemyDocuments,
    AuthorRepository: SqlAlchemyAuthors,
    TermRepository: SqlAlchemyTerms,
    MediaRepository: SqlAlchemyMedia,
    ImportSources: SqlAlchemyImportSources,
    ScheduleRepository: SqlAlchemySchedules,
}
