"""Taking over the content of another system, one item at a time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from cms_api.domains.auth.api import UserService
from cms_api.domains.cms.authors.interface import AuthorService
from cms_api.domains.cms.imports.interface import RUN, ImportReport, ImportService
from cms_api.domains.cms.imports.ports import Fetcher
from cms_api.domains.cms.imports.run import Run
from cms_api.domains.cms.imports.source import ContentSource, SourceItem
from cms_api.domains.cms.imports.steps import Services, Tools
from cms_api.domains.cms.media.interface import MediaService
from cms_api.domains.cms.menus.interface import MenuService
from cms_api.domains.cms.pages.service import Pages
from cms_api.domains.cms.posts.service import Posts
from cms_api.domains.cms.reader_comments.interface import CommentImportService, CommentRuleService
from cms_api.domains.cms.taxonomies.interface import TermService
from cms_api.kernel.actor import Actor
from cms_api.kernel.errors import CmsError
from cms_api.kernel.unit_of_work import UnitOfWork

BATCH = 50


class Imports(ImportService):
    """The service of imports."""

    def __init__(
        self,
        *,
        posts: Posts,
        pages: Pages,
        authors: AuthorService,
        terms: TermService,
        media: MediaService,
        comments: CommentImportService,
        comment_rules: CommentRuleService,
        menus: MenuService,
        users: UserService,
        fetcher: Fetcher,
        default_locale: str,
    ) -> None:
        self._services = Services(
            posts=posts,
            pages=pages,
            authors=authors,
            terms=terms,
            media=media,
            comments=comments,
            comment_rules=comment_rules,
            menus=menus,
            users=users,
            fetcher=fetcher,
            default_locale=default_locale,
        )

    async def run(
        self,
        actor: Actor,
        source: ContentSource,
        *,
        new_uow: Callable[[], UnitOfWork],
        fetch_files: bool,
        progress: Callable[[float], None],
    ) -> ImportReport:
        actor.require(RUN)
        key = await asyncio.to_thread(lambda: source.key)
        tools = Tools(services=self._services, source=key, new_uow=new_uow, report=ImportReport())
        run = Run(tools, fetch_files=fetch_files)
        passes: list[Callable[[SourceItem], Awaitable[None]]]
        passes = [run.prepare, run.place, run.finish, run.attach]
        for number, step in enumerate(passes):
            async for item in _read(source):
                await step(item)
                progress((number + source.position / max(source.size, 1)) / len(passes))
        await run.complete()
        progress(1.0)
        return run.report


async def _read(source: ContentSource) -> AsyncIterator[SourceItem]:
    """The items of the source, read on a thread."""
    items = source.items()

    def some() -> tuple[list[SourceItem], Exception | None]:
        batch: list[SourceItem] = []
        try:
            for item in items:
                batch.append(item)
                if len(batch) == BATCH:
                    break
        except CmsError as error:
            return batch, error
        return batch, None

    while True:
        batch, error = await asyncio.to_thread(some)
        for item in batch:
            yield item
        if error is not None:
            raise error
        if not batch:
            return
