"""The whole application, put together: one line a domain."""

from typing import Any

import msgspec
from dependency_injector.containers import DeclarativeContainer
from dependency_injector.providers import Container, Object, Provider
from litestar.di import Provide

from cms_api.adapters.sqlalchemy import migrations
from cms_api.bootstrap.auth import AuthContainer
from cms_api.bootstrap.background import make_background
from cms_api.bootstrap.cms import CmsContainer
from cms_api.bootstrap.core import CoreContainer
from cms_api.bootstrap.jobs import JobsContainer
from cms_api.bootstrap.secret import secret_key
from cms_api.bootstrap.supervision import Background
from cms_api.domains.auth import api as auth
from cms_api.domains.cms import api as cms
from cms_api.domains.jobs import api as jobs
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.settings import Settings


class ApplicationContainer(DeclarativeContainer):
    """Every domain with what it is built on."""

    core = Container(CoreContainer)
    auth = Container(
        AuthContainer,
        core=core,
        permissions=Object({**auth.PERMISSIONS, **jobs.PERMISSIONS, **cms.PERMISSIONS}),
    )
    jobs = Container(JobsContainer, core=core, auth=auth)
    cms = Container(CmsContainer, core=core, auth=auth, jobs=jobs)


class Application:
    """The running parts behind the HTTP adapter and the command line."""

    def __init__(self, settings: Settings) -> None:
        if settings.secret_key is None:
            settings = msgspec.structs.replace(settings, secret_key=secret_key(settings.data_dir))
        self.settings = settings
        self.container = ApplicationContainer(core=Container(CoreContainer, settings=Object(settings)))

    def dependencies(self) -> dict[str, Provide]:
        """What controllers may ask for, by the name of their parameter."""
        parts = self.container
        provided: dict[str, tuple[type, Provider[Any]]] = {
            "uow": (UnitOfWork, parts.core.unit_of_work),
            "users": (auth.UserService, parts.auth.users),
            "sessions": (auth.SessionService, parts.auth.sessions),
            "roles": (auth.RoleService, parts.auth.roles),
            "identity": (auth.IdentityService, parts.auth.identity),
            "jobs": (jobs.JobService, parts.jobs.jobs),
            "posts": (cms.PostService, parts.cms.posts),
            "pages": (cms.PageService, parts.cms.pages),
            "related": (cms.RelatedService, parts.cms.related_things),
            "references": (cms.ReferenceService, parts.cms.references),
            "revisions": (cms.RevisionService, parts.cms.revisions),
            "entry_delivery": (cms.EntryDeliveryService, parts.cms.entry_delivery),
            "types": (cms.DocumentTypes, parts.cms.types),
            "content_types": (cms.ContentTypeService, parts.cms.content_types),
            "bulk": (cms.BulkService, parts.cms.bulk),
            "batch": (cms.BatchService, parts.cms.batch),
            "retention": (cms.RetentionService, parts.cms.retention),
            "workflows": (cms.WorkflowService, parts.cms.workflows),
            "tasks": (cms.TaskService, parts.cms.tasks),
            "authors": (cms.AuthorService, parts.cms.authors),
            "terms": (cms.TermService, parts.cms.terms),
            "media": (cms.MediaService, parts.cms.media),
            "locks": (cms.LockService, parts.cms.locks),
            "presences": (cms.PresenceService, parts.cms.presences),
            "comments": (cms.CommentService, parts.cms.comments),
            "submissions": (cms.SubmissionService, parts.cms.submissions),
            "reader_comments": (cms.ReaderCommentService, parts.cms.reader_comments),
            "comment_rules": (cms.CommentRuleService, parts.cms.comment_configuration),
            "delivered_comments": (cms.DeliveredCommentService, parts.cms.delivered_comments),
            "schedules": (cms.ScheduleService, parts.cms.schedules),
            "page_tree": (cms.PageTreeService, parts.cms.page_tree),
            "redirects": (cms.RedirectService, parts.cms.redirects),
            "storage": (cms.Storage, parts.core.storage),
            "delivery": (cms.DeliveryService, parts.cms.delivery),
            "search": (cms.SearchService, parts.cms.search),
            "menus": (cms.MenuService, parts.cms.menus),
            "public_menus": (cms.PublicMenuService, parts.cms.public_menus),
            "site": (cms.SiteService, parts.cms.site),
            "feeds": (cms.FeedService, parts.cms.feeds),
            "sitemaps": (cms.SiteMapService, parts.cms.sitemaps),
            "sync": (cms.SyncService, parts.cms.sync),
            "previews": (cms.PreviewService, parts.cms.previews),
            "purges": (cms.PurgeService, parts.cms.purges),
            "signal": (cms.ChangeSignal, parts.core.change_signal),
            "public_site": (cms.PublicSiteService, parts.cms.public_site),
        }
        return {name: _provide(port, provider) for name, (port, provider) in provided.items()}

    def unit_of_work(self) -> UnitOfWork:
        """A new unit of work."""
        uow: UnitOfWork = self.container.core.unit_of_work()
        return uow

    def background(self, *handlers: jobs.JobHandler) -> Background:
        """What goes on beside the requests, not started yet; with more ``handlers`` of jobs."""
        return make_background(self.container, self.settings, handlers=handlers)

    async def start(self) -> None:
        """Open the pool of reads. Raises where the database does not answer."""
        await self.container.core.reader().open()

    async def stop(self) -> None:
        """Give every connection back."""
        await self.container.core.reader().close()
        await self.container.core.engine().dispose()

    async def is_ready(self) -> bool:
        """Whether the database answers and is migrated as this code needs it."""
        row = await self.container.core.reader().one("SELECT version_num FROM public.alembic_version")
        return row is not None and row[0] == migrations.head()


def _provide(port: type, provider: Provider[Any]) -> Provide:
    """The provider as a closure that says what it returns, as Litestar wants it."""

    def dependency() -> Any:
        return provider()

    dependency.__annotations__["return"] = port
    return Provide(dependency, sync_to_thread=False)
