"""The cms domain, put together."""

import structlog
from dependency_injector.containers import DeclarativeContainer
from dependency_injector.providers import DependenciesContainer, Dict, Object, Singleton

from cms_api.adapters.fetching.web import WebFetcher
from cms_api.adapters.rendering.html import HtmlRenderer
from cms_api.adapters.sqlalchemy.cms.delivery import SqlDelivery
from cms_api.adapters.sqlalchemy.cms.queries import SqlAuthors, SqlDocuments, SqlMedia, SqlTerms
from cms_api.adapters.sqlalchemy.cms.schedule_queries import SqlSchedules
from cms_api.adapters.sqlalchemy.cms.wakeups import PostgresWakeups
from cms_api.adapters.sqlalchemy.outages import is_outage
from cms_api.domains.cms.authors.service import Authors
from cms_api.domains.cms.delivery.service import Delivery
from cms_api.domains.cms.imports.service import Imports
from cms_api.domains.cms.media.service import Media
from cms_api.domains.cms.pages.service import Pages
from cms_api.domains.cms.posts.service import Posts
from cms_api.domains.cms.schedules.firing import Firing
from cms_api.domains.cms.schedules.runner import ScheduleRunner
from cms_api.domains.cms.schedules.service import Schedules
from cms_api.domains.cms.taxonomies.service import Terms


class CmsContainer(DeclarativeContainer):
    """Documents and what they point at. Of ``auth`` it knows the service of users."""

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
    posts = Singleton(
        Posts,
        clock=core.clock,
        queries=documents,
        renderer=renderer,
        authors=authors,
        default_locale=default_locale,
    )
    pages = Singleton(
        Pages,
        clock=core.clock,
        queries=documents,
        renderer=renderer,
        authors=authors,
        default_locale=default_locale,
    )
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
    schedules = Singleton(
        Schedules, clock=core.clock, queries=Singleton(SqlSchedules, core.reader), authors=authors
    )
    schedule_log = Object(structlog.get_logger("cms.schedules"))
    firing = Singleton(
        Firing,
        clock=core.clock,
        documents=Dict(post=posts, page=pages),
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
