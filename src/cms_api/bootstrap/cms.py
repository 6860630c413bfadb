"""The cms domain, put together."""

from dependency_injector.containers import DeclarativeContainer
from dependency_injector.providers import DependenciesContainer, Object, Singleton

from cms_api.adapters.fetching.web import WebFetcher
from cms_api.adapters.rendering.html import HtmlRenderer
from cms_api.adapters.sqlalchemy.cms.delivery import SqlDelivery
from cms_api.adapters.sqlalchemy.cms.queries import SqlAuthors, SqlDocuments, SqlMedia, SqlTerms
from cms_api.adapters.sqlalchemy.cms.retention import SqlRetention
from cms_api.adapters.sqlalchemy.cms.revisions import SqlRevisions
from cms_api.adapters.sqlalchemy.cms.workflow import SqlTasks, SqlWorkflows
from cms_api.domains.cms.authors.service import Authors
from cms_api.domains.cms.delivery.service import Delivery
from cms_api.domains.cms.documents.access import Access
from cms_api.domains.cms.imports.service import Imports
from cms_api.domains.cms.media.service import Media
from cms_api.domains.cms.pages.service import PAGE, Pages
from cms_api.domains.cms.posts.service import POST, Posts
from cms_api.domains.cms.retention.service import Retention
from cms_api.domains.cms.revisions.service import Revisions
from cms_api.domains.cms.taxonomies.service import Terms
from cms_api.domains.cms.workflow.service import Workflows
from cms_api.domains.cms.workflow.stages import WorkflowStages
from cms_api.domains.cms.workflow.tasks import Tasks


class CmsContainer(DeclarativeContainer):
    """Documents and what they point at. Of ``auth`` it knows the services of users and roles."""

    core = DependenciesContainer()
    auth = DependenciesContainer()

    default_locale = core.settings.provided.default_locale
    renderer = Singleton(HtmlRenderer)
    documents = Singleton(SqlDocuments, core.reader)
    authors = Singleton(
        Authors, clock=core.clock, queries=Singleton(SqlAuthors, core.reader), users=auth.users
    )
    terms = Singleton(Terms, clock=core.clock, queries=Singleton(SqlTerms, core.reader))
    media = Singleton(
        Media,
        clock=core.clock,
        queries=Singleton(SqlMedia, core.reader),
        storage=core.storage,
        limit=core.settings.provided.max_upload_bytes,
    )
    workflow_queries = Singleton(SqlWorkflows, core.reader)
    workflows = Singleton(Workflows, clock=core.clock, queries=workflow_queries, roles=auth.roles)
    tasks = Singleton(Tasks, clock=core.clock, queries=Singleton(SqlTasks, core.reader), users=auth.users)
    stages = Singleton(WorkflowStages, users=auth.users)
    posts = Singleton(
        Posts,
        clock=core.clock,
        queries=documents,
        renderer=renderer,
        authors=authors,
        default_locale=default_locale,
        stages=stages,
    )
    pages = Singleton(
        Pages,
        clock=core.clock,
        queries=documents,
        renderer=renderer,
        authors=authors,
        default_locale=default_locale,
        stages=stages,
    )
    types = Object({kind.key: kind for kind in (POST, PAGE)})
    access = Singleton(Access, authors)
    revisions = Singleton(Revisions, queries=Singleton(SqlRevisions, core.reader), access=access, types=types)
    retention = Singleton(Retention, clock=core.clock, queries=Singleton(SqlRetention, core.reader))
    delivery = Singleton(Delivery, queries=Singleton(SqlDelivery, core.reader), default_locale=default_locale)
    imports = Singleton(
        Imports,
        posts=posts,
        pages=pages,
        authors=authors,
        terms=terms,
        media=media,
        users=auth.users,
        fetcher=Singleton(WebFetcher),
        default_locale=default_locale,
    )
