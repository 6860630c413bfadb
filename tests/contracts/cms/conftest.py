"""The two backends that each suite is run on: the fakes, and PostgreSQL."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest
from tests.contracts.postgres import postgres
from tests.fakes_cms import (
    CmsUnitOfWork,
    FakeAuthorQueries,
    FakeDocumentQueries,
    FakeMediaQueries,
    FakeTermQueries,
    Store,
)
from tests.fakes_comments import FakeCommentQueries
from tests.fakes_feeds import FakeFeedQueries, FakeSiteMapQueries
from tests.fakes_locks import FakeLockQueries, FakeSubjectQueries
from tests.fakes_menus import FakeMenuQueries, FakePublicMenuQueries
from tests.fakes_previews import FakePreviewQueries
from tests.fakes_readers import FakePlaceQueries, FakeReaderCommentQueries, FakeRules
from tests.fakes_redirects import FakeDeliveryQueries, FakeRedirectQueries
from tests.fakes_revisions import FakeRetentionQueries, FakeRevisionQueries
from tests.fakes_search import FakeSearchQueries
from tests.fakes_site import FakePublicSiteQueries, FakeSiteQueries
from tests.fakes_tree import FakeTreeQueries
from tests.fakes_workflow import FakeTaskQueries, FakeWorkflowQueries

from cms_api.adapters.sqlalchemy.cms import REPOSITORIES
from cms_api.adapters.sqlalchemy.cms.comment_rules import SqlPlaces, SqlRules
from cms_api.adapters.sqlalchemy.cms.comments import SqlComments
from cms_api.adapters.sqlalchemy.cms.delivery import SqlDelivery
from cms_api.adapters.sqlalchemy.cms.feeds import SqlFeeds
from cms_api.adapters.sqlalchemy.cms.locks import SqlLocks
from cms_api.adapters.sqlalchemy.cms.menus import SqlMenus
from cms_api.adapters.sqlalchemy.cms.page_tree import SqlTree
from cms_api.adapters.sqlalchemy.cms.previews import SqlPreviews
from cms_api.adapters.sqlalchemy.cms.public_menus import SqlPublicMenus
from cms_api.adapters.sqlalchemy.cms.queries import SqlAuthors, SqlDocuments, SqlMedia, SqlTerms
from cms_api.adapters.sqlalchemy.cms.reader_comments import SqlReaderComments
from cms_api.adapters.sqlalchemy.cms.redirects import SqlRedirects
from cms_api.adapters.sqlalchemy.cms.retention import SqlRetention
from cms_api.adapters.sqlalchemy.cms.revisions import SqlRevisions
from cms_api.adapters.sqlalchemy.cms.search import SqlSearch
from cms_api.adapters.sqlalchemy.cms.site import SqlPublicSite, SqlSite
from cms_api.adapters.sqlalchemy.cms.sitemaps import SqlSiteMaps
from cms_api.adapters.sqlalchemy.cms.subjects import SqlSubjects
from cms_api.adapters.sqlalchemy.cms.workflow import SqlTasks, SqlWorkflows
from cms_api.adapters.sqlalchemy.unit_of_work import SqlAlchemyUnitOfWork
from cms_api.domains.cms.authors.ports import AuthorQueries
from cms_api.domains.cms.comments.ports import CommentQueries
from cms_api.domains.cms.delivery.ports import DeliveryQueries
from cms_api.domains.cms.documents.ports import DocumentQueries
from cms_api.domains.cms.documents.subjects import SubjectQueries
from cms_api.domains.cms.feeds.ports import FeedQueries
from cms_api.domains.cms.locks.ports import LockQueries
from cms_api.domains.cms.media.ports import MediaQueries
from cms_api.domains.cms.menus.ports import MenuQueries, PublicMenuQueries
from cms_api.domains.cms.pages.ports import TreeQueries
from cms_api.domains.cms.previews.ports import PreviewQueries
from cms_api.domains.cms.reader_comments.ports import CommentRules, PlaceQueries, ReaderCommentQueries
from cms_api.domains.cms.redirects.ports import RedirectQueries
from cms_api.domains.cms.retention.ports import RetentionQueries
from cms_api.domains.cms.revisions.ports import RevisionQueries
from cms_api.domains.cms.search.ports import SearchQueries
from cms_api.domains.cms.site.ports import PublicSiteQueries, SiteQueries
from cms_api.domains.cms.sitemaps.ports import SiteMapQueries
from cms_api.domains.cms.taxonomies.ports import TermQueries
from cms_api.domains.cms.workflow.ports import TaskQueries, WorkflowQueries
from cms_api.kernel.unit_of_work import UnitOfWork


@dataclass(frozen=True, kw_only=True)
class Backend:
    """One implementation of every port of the cms domain that reads or writes rows."""

    uow: Callable[[], UnitOfWork]
    documents: DocumentQueries
    authors: AuthorQueries
    terms: TermQueries
    media: MediaQueries
    revisions: RevisionQueries
    retention: RetentionQueries
    subjects: SubjectQueries
    locks: LockQueries
    comments: CommentQueries
    workflows: WorkflowQueries
    tasks: TaskQueries
    reader_comments: ReaderCommentQueries
    comment_rules: CommentRules
    comment_places: PlaceQueries
    redirects: RedirectQueries
    tree: TreeQueries
    menus: MenuQueries
    public_menus: PublicMenuQueries
    search: SearchQueries
    delivery: DeliveryQueries
    site: SiteQueries
    public_site: PublicSiteQueries
    feeds: FeedQueries
    sitemaps: SiteMapQueries
    previews: PreviewQueries


@pytest.fixture(params=["fake", "postgres"])
async def backend(request: pytest.FixtureRequest) -> AsyncIterator[Backend]:
    if request.param == "fake":
        store = Store()
        yield Backend(
            uow=lambda: CmsUnitOfWork(store),
            documents=FakeDocumentQueries(store),
            authors=FakeAuthorQueries(store),
            terms=FakeTermQueries(store),
            media=FakeMediaQueries(store),
            revisions=FakeRevisionQueries(store),
            retention=FakeRetentionQueries(store),
            subjects=FakeSubjectQueries(store),
            locks=FakeLockQueries(store),
            comments=FakeCommentQueries(store),
            workflows=FakeWorkflowQueries(store),
            tasks=FakeTaskQueries(store),
            reader_comments=FakeReaderCommentQueries(store),
            comment_rules=FakeRules(store),
            comment_places=FakePlaceQueries(store),
            redirects=FakeRedirectQueries(store),
            tree=FakeTreeQueries(store),
            menus=FakeMenuQueries(store),
            public_menus=FakePublicMenuQueries(store),
            search=FakeSearchQueries(store),
            delivery=FakeDeliveryQueries(store),
            site=FakeSiteQueries(store),
            public_site=FakePublicSiteQueries(store),
            feeds=FakeFeedQueries(store),
            sitemaps=FakeSiteMapQueries(store),
            previews=FakePreviewQueries(store),
        )
        return
    async with postgres(request) as (_, sessions, reader):
        yield Backend(
            uow=lambda: SqlAlchemyUnitOfWork(sessions, REPOSITORIES),
            documents=SqlDocuments(reader),
            authors=SqlAuthors(reader),
            terms=SqlTerms(reader),
            media=SqlMedia(reader),
            revisions=SqlRevisions(reader),
            retention=SqlRetention(reader),
            subjects=SqlSubjects(reader),
            locks=SqlLocks(reader),
            comments=SqlComments(reader),
            workflows=SqlWorkflows(reader),
            tasks=SqlTasks(reader),
            reader_comments=SqlReaderComments(reader),
            comment_rules=SqlRules(reader),
            comment_places=SqlPlaces(reader),
            redirects=SqlRedirects(reader),
            tree=SqlTree(reader),
            menus=SqlMenus(reader),
            public_menus=SqlPublicMenus(reader),
            search=SqlSearch(reader),
            delivery=SqlDelivery(reader),
            site=SqlSite(reader),
            public_site=SqlPublicSite(reader),
            feeds=SqlFeeds(reader),
            sitemaps=SqlSiteMaps(reader),
            previews=SqlPreviews(reader),
        )
