"""The cms domain, put together."""

from collections.abc import Callable
from typing import Any

import structlog
from dependency_injector.containers import DeclarativeContainer
from dependency_injector.providers import DependenciesContainer, Dict, Object, Singleton

from cms_api.adapters.fetching.web import WebFetcher
from cms_api.adapters.rendering.html import HtmlRenderer
from cms_api.adapters.sqlalchemy.cms.comment_rules import SqlPlaces, SqlRules
from cms_api.adapters.sqlalchemy.cms.comments import SqlComments
from cms_api.adapters.sqlalchemy.cms.content_types import SqlContentTypes
from cms_api.adapters.sqlalchemy.cms.delivered_comments import SqlDeliveredComments
from cms_api.adapters.sqlalchemy.cms.delivery import SqlDelivery
from cms_api.adapters.sqlalchemy.cms.entry_delivery import SqlEntryDelivery
from cms_api.adapters.sqlalchemy.cms.feeds import SqlFeeds
from cms_api.adapters.sqlalchemy.cms.field_indexes import PostgresFieldIndexes
from cms_api.adapters.sqlalchemy.cms.locks import SqlLocks
from cms_api.adapters.sqlalchemy.cms.menus import SqlMenus
from cms_api.adapters.sqlalchemy.cms.page_tree import SqlTree
from cms_api.adapters.sqlalchemy.cms.previews import SqlPreviews
from cms_api.adapters.sqlalchemy.cms.public_menus import SqlPublicMenus
from cms_api.adapters.sqlalchemy.cms.queries import SqlAuthors, SqlDocuments, SqlMedia, SqlTerms
from cms_api.adapters.sqlalchemy.cms.reader_comments import SqlReaderComments
from cms_api.adapters.sqlalchemy.cms.redirects import SqlRedirects
from cms_api.adapters.sqlalchemy.cms.reference_queries import SqlReferences
from cms_api.adapters.sqlalchemy.cms.retention import SqlRetention
from cms_api.adapters.sqlalchemy.cms.revisions import SqlRevisions
from cms_api.adapters.sqlalchemy.cms.schedule_queries import SqlSchedules
from cms_api.adapters.sqlalchemy.cms.search import SqlSearch
from cms_api.adapters.sqlalchemy.cms.site import SqlPublicSite, SqlSite
from cms_api.adapters.sqlalchemy.cms.sitemaps import SqlSiteMaps
from cms_api.adapters.sqlalchemy.cms.subjects import SqlSubjects
from cms_api.adapters.sqlalchemy.cms.sync import SqlChanges
from cms_api.adapters.sqlalchemy.cms.wakeups import PostgresWakeups
from cms_api.adapters.sqlalchemy.cms.workflow import SqlTasks, SqlWorkflows
from cms_api.adapters.sqlalchemy.outages import is_outage
from cms_api.domains.cms.authors.service import Authors
from cms_api.domains.cms.bulk.jobs import Bulk, BulkHandler
from cms_api.domains.cms.bulk.service import Batch
from cms_api.domains.cms.comments.service import Comments
from cms_api.domains.cms.content_types.following import Following
from cms_api.domains.cms.content_types.jobs import IndexHandler, MigrationHandler
from cms_api.domains.cms.content_types.service import ContentTypes
from cms_api.domains.cms.delivery.service import Delivery
from cms_api.domains.cms.documents.access import Access
from cms_api.domains.cms.documents.deleting import Deletions
from cms_api.domains.cms.documents.including import RelatedThings
from cms_api.domains.cms.documents.referrers import References
from cms_api.domains.cms.entries.delivery import EntryDelivery
from cms_api.domains.cms.entries.registry import Types
from cms_api.domains.cms.feeds.service import Feeds
from cms_api.domains.cms.imports.service import Imports
from cms_api.domains.cms.locks.held import LocksNow
from cms_api.domains.cms.locks.service import Locks, Presences
from cms_api.domains.cms.media.service import Media
from cms_api.domains.cms.menus.service import Menus, PublicMenus
from cms_api.domains.cms.pages.service import Pages, PageTree
from cms_api.domains.cms.posts.service import Posts
from cms_api.domains.cms.previews.service import Previews
from cms_api.domains.cms.previews.tokens import PreviewTokens
from cms_api.domains.cms.reader_comments.configuring import CommentConfiguration
from cms_api.domains.cms.reader_comments.hashing import Hashes
from cms_api.domains.cms.reader_comments.importing import CommentImports
from cms_api.domains.cms.reader_comments.rates import parse_rate
from cms_api.domains.cms.reader_comments.service import DeliveredComments, ReaderComments
from cms_api.domains.cms.reader_comments.submitting import Submissions
from cms_api.domains.cms.redirects.service import Redirects
from cms_api.domains.cms.redirects.wholes import Wholes
from cms_api.domains.cms.rendering.service import Rendering
from cms_api.domains.cms.retention.service import Retention
from cms_api.domains.cms.revisions.service import Revisions
from cms_api.domains.cms.schedules.firing import Firing
from cms_api.domains.cms.schedules.runner import ScheduleRunner
from cms_api.domains.cms.schedules.service import Schedules
from cms_api.domains.cms.search.reading import SearchReader
from cms_api.domains.cms.search.service import Search
from cms_api.domains.cms.site.facts import Sites
from cms_api.domains.cms.site.service import PublicSite, Site
from cms_api.domains.cms.sitemaps.service import SiteMaps
from cms_api.domains.cms.sync.service import Purges, Sync, Upkeep
from cms_api.domains.cms.taxonomies.service import Terms
from cms_api.domains.cms.workflow.service import Workflows
from cms_api.domains.cms.workflow.stages import WorkflowStages
from cms_api.domains.cms.workflow.tasks import Tasks


def _made(service: Callable[..., Any], tools: dict[str, Any]) -> Any:
    return service(**tools)


class CmsContainer(DeclarativeContainer):
    """Documents and what they point at. Of ``auth`` it knows the services of users and roles."""

    core = DependenciesContainer()
    auth = DependenciesContainer()
    jobs = DependenciesContainer()

    default_locale = core.settings.provided.default_locale
    renderer = Singleton(HtmlRenderer)
    documents = Singleton(SqlDocuments, core.reader)
    type_queries = Singleton(SqlContentTypes, core.reader)
    # The services of documents know of all types, and the other way round: see below.
    types = Singleton(Types, queries=type_queries)
    deletions = Singleton(Deletions, types)
    authors = Singleton(
        Authors,
        clock=core.clock,
        queries=Singleton(SqlAuthors, core.reader),
        users=auth.users,
        deletions=deletions,
    )
    terms = Singleton(Terms, clock=core.clock, queries=Singleton(SqlTerms, core.reader), deletions=deletions)
    media = Singleton(
        Media,
        clock=core.clock,
        queries=Singleton(SqlMedia, core.reader),
        storage=core.storage,
        limit=core.settings.provided.max_upload_bytes,
        deletions=deletions,
    )
    lock_queries = Singleton(SqlLocks, core.reader)
    subjects = Singleton(SqlSubjects, core.reader)
    held_locks = Singleton(LocksNow, clock=core.clock, queries=lock_queries, users=auth.users)
    locks = Singleton(
        Locks,
        clock=core.clock,
        queries=lock_queries,
        subjects=subjects,
        users=auth.users,
        ttl=core.settings.provided.lock_ttl,
    )
    presences = Singleton(
        Presences,
        clock=core.clock,
        queries=lock_queries,
        subjects=subjects,
        users=auth.users,
        ttl=core.settings.provided.lock_ttl,
    )
    workflow_queries = Singleton(SqlWorkflows, core.reader)
    workflows = Singleton(Workflows, clock=core.clock, queries=workflow_queries, roles=auth.roles)
    tasks = Singleton(Tasks, clock=core.clock, queries=Singleton(SqlTasks, core.reader), users=auth.users)
    stages = Singleton(WorkflowStages, users=auth.users)
    tools = Dict(
        clock=core.clock,
        queries=documents,
        renderer=renderer,
        authors=authors,
        locks=held_locks,
        default_locale=default_locale,
        stages=stages,
        deletions=deletions,
    )
    posts = Singleton(_made, Object(Posts), tools)
    pages = Singleton(_made, Object(Pages), tools)
    types.add_kwargs(tools=tools.provider, built_in=Dict(post=posts, page=pages).provider)
    entry_delivery = Singleton(
        EntryDelivery,
        types=types,
        queries=Singleton(SqlEntryDelivery, core.reader),
        default_locale=default_locale,
    )
    content_types = Singleton(
        ContentTypes,
        clock=core.clock,
        queries=type_queries,
        jobs=jobs.jobs,
        following=Singleton(Following, renderer),
    )
    migration_handler = Singleton(MigrationHandler, clock=core.clock, types=types)
    index_handler = Singleton(
        IndexHandler, indexes=Singleton(PostgresFieldIndexes, core.settings.provided.database_url)
    )
    access = Singleton(Access, authors)
    comments = Singleton(
        Comments,
        clock=core.clock,
        queries=Singleton(SqlComments, core.reader),
        subjects=subjects,
        users=auth.users,
        types=types,
    )
    revisions = Singleton(Revisions, queries=Singleton(SqlRevisions, core.reader), access=access, types=types)
    batch = Singleton(Batch, types=types, stages=stages)
    related_things = Singleton(
        RelatedThings,
        authors=authors,
        terms=terms,
        media=media,
        types=types,
        documents=documents,
        locks=held_locks,
    )
    bulk = Singleton(
        Bulk,
        clock=core.clock,
        jobs=jobs.jobs,
        types=types,
        cost_limit=core.settings.provided.query_cost_limit,
    )
    bulk_handler = Singleton(BulkHandler, queries=documents, types=types)
    retention = Singleton(
        Retention, clock=core.clock, queries=Singleton(SqlRetention, core.reader), types=types
    )
    rendering = Singleton(Rendering, types=types)
    references = Singleton(References, Singleton(SqlReferences, core.reader), types)
    delivery_queries = Singleton(SqlDelivery, core.reader)
    delivery = Singleton(Delivery, queries=delivery_queries, default_locale=default_locale)
    search = Singleton(Search, queries=Singleton(SqlSearch, core.reader), default_locale=default_locale)
    search_reader = Singleton(SearchReader, renderer=renderer)
    previews = Singleton(
        Previews,
        clock=core.clock,
        tokens=Singleton(PreviewTokens, core.settings.provided.secret_key),
        queries=Singleton(SqlPreviews, core.reader),
        types=types,
        new_uow=core.unit_of_work.provider,
    )
    change_queries = Singleton(SqlChanges, core.reader)
    purges = Singleton(Purges, change_queries)
    change_upkeep = Singleton(Upkeep, clock=core.clock, tombstones=core.settings.provided.sync_retention)
    comment_rules = Singleton(SqlRules, core.reader)
    submissions = Singleton(
        Submissions,
        clock=core.clock,
        rules=comment_rules,
        users=auth.users,
        hashes=Singleton(Hashes, core.settings.provided.secret_key),
        rate=Singleton(parse_rate, core.settings.provided.comment_rate),
    )
    reader_comments = Singleton(
        ReaderComments,
        clock=core.clock,
        queries=Singleton(SqlReaderComments, core.reader),
        rules=comment_rules,
    )
    comment_configuration = Singleton(
        CommentConfiguration,
        clock=core.clock,
        rules=comment_rules,
        places=Singleton(SqlPlaces, core.reader),
    )
    delivered_comments = Singleton(DeliveredComments, queries=Singleton(SqlDeliveredComments, core.reader))
    page_tree = Singleton(PageTree, queries=Singleton(SqlTree, core.reader), default_locale=default_locale)
    redirects = Singleton(
        Redirects,
        clock=core.clock,
        queries=Singleton(SqlRedirects, core.reader),
        wholes=Singleton(
            Wholes, delivery=delivery_queries, entries=entry_delivery, default_locale=default_locale
        ),
        default_locale=default_locale,
    )
    menus = Singleton(
        Menus, clock=core.clock, queries=Singleton(SqlMenus, core.reader), default_locale=default_locale
    )
    public_menus = Singleton(
        PublicMenus, queries=Singleton(SqlPublicMenus, core.reader), default_locale=default_locale
    )
    site = Singleton(Site, clock=core.clock, queries=Singleton(SqlSite, core.reader))
    public_site_queries = Singleton(SqlPublicSite, core.reader)
    public_site = Singleton(PublicSite, queries=public_site_queries)
    sync = Singleton(
        Sync,
        changes=change_queries,
        delivery=delivery,
        entries=entry_delivery,
        site=public_site,
        others=Dict(
            menu=public_menus.provided.those,
            redirect=redirects.provided.those,
            comment=delivered_comments.provided.those,
        ),
    )
    sites = Singleton(
        Sites,
        queries=public_site_queries,
        public_url=core.settings.provided.public_url,
        listens_at=core.settings.provided.listens_at,
    )
    feeds = Singleton(
        Feeds, queries=Singleton(SqlFeeds, core.reader), sites=sites, default_locale=default_locale
    )
    sitemaps = Singleton(
        SiteMaps, queries=Singleton(SqlSiteMaps, core.reader), sites=sites, default_locale=default_locale
    )
    imports = Singleton(
        Imports,
        posts=posts,
        pages=pages,
        authors=authors,
        terms=terms,
        media=media,
        comments=Singleton(CommentImports, clock=core.clock, users=auth.users),
        comment_rules=comment_configuration,
        menus=menus,
        users=auth.users,
        fetcher=Singleton(WebFetcher),
        default_locale=default_locale,
    )
    schedules = Singleton(Schedules, clock=core.clock, queries=Singleton(SqlSchedules, core.reader))
    schedule_log = Object(structlog.get_logger("cms.schedules"))
    firing = Singleton(
        Firing,
        clock=core.clock,
        types=types,
        new_uow=core.unit_of_work.provider,
        is_outage=Object(is_outage),
        log=schedule_log,
    )
    schedule_runner = Singleton(
        ScheduleRunner,
        firing=firing,
        wakeups=Singleton(PostgresWakeups, core.settings.provided.database_url, log=schedule_log),
        log=schedule_log,
    )
