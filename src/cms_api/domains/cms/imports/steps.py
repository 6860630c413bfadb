"""What every part of an import works with: services, a unit of work for each item, and a memory."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec

from cms_api.domains.auth.api import UserService
from cms_api.domains.cms.authors.interface import AuthorService
from cms_api.domains.cms.imports.interface import ImportReport
from cms_api.domains.cms.imports.ports import Fetcher, Imported, ImportSources
from cms_api.domains.cms.media.interface import MediaService
from cms_api.domains.cms.menus.interface import MenuService
from cms_api.domains.cms.pages.service import Pages
from cms_api.domains.cms.posts.service import Posts
from cms_api.domains.cms.reader_comments.interface import CommentImportService, CommentRuleService
from cms_api.domains.cms.taxonomies.interface import TermService
from cms_api.kernel.errors import CmsError, Invalid
from cms_api.kernel.unit_of_work import UnitOfWork

# About what an item takes that says nothing, in characters.
COST = 500
Outcome: TypeAlias = Literal["created", "updated", "unchanged"]


@dataclass(slots=True, frozen=True, kw_only=True)
class Services:
    """What an import works with."""

    posts: Posts
    pages: Pages
    authors: AuthorService
    terms: TermService
    media: MediaService
    comments: CommentImportService
    comment_rules: CommentRuleService
    menus: MenuService
    users: UserService
    fetcher: Fetcher
    default_locale: str


@dataclass(slots=True, frozen=True, kw_only=True)
class Tools:
    """What the parts of one import share. ``source`` is the site that is imported."""

    services: Services
    source: str
    new_uow: Callable[[], UnitOfWork]
    report: ImportReport


class Step:
    """A part of an import."""

    def __init__(self, tools: Tools) -> None:
        self._do = tools.services
        self._source = tools.source
        self._new_uow = tools.new_uow
        self.report = tools.report

    async def _guarded(
        self, kind: str, what: str, work: Callable[[UnitOfWork], Awaitable[Outcome | None]]
    ) -> None:
        """Do the work in a unit of work of its own, and count how it went; None is not to be counted."""
        tally = self.report.of(kind)
        try:
            async with self._new_uow() as uow:
                outcome = await work(uow)
        except CmsError as error:
            tally.skipped += 1
            self.report.note(what, told(error))
            return
        if outcome is not None:
            setattr(tally, outcome, getattr(tally, outcome) + 1)

    async def _known(self, uow: UnitOfWork, kind: str, key: str) -> Imported | None:
        return (await uow.repository(ImportSources).find(self._source, kind, [key])).get(key)

    async def _remember(self, uow: UnitOfWork, kind: str, key: str, imported: Imported) -> None:
        await uow.repository(ImportSources).put(self._source, kind, key, imported)


def told(error: CmsError) -> str:
    """What is wrong, in a line."""
    return "; ".join(fault.detail for fault in error.faults) or error.detail


def changed_here() -> Invalid:
    """The fault of something that was changed there and here."""
    return Invalid("it was changed here since the last import: left as it is")


def size_of(item: msgspec.Struct) -> int:
    """About what an item takes while it is held, in characters."""
    return COST + sum(len(text) for text in msgspec.structs.astuple(item) if isinstance(text, str))


def digest_of(item: msgspec.Struct) -> bytes:
    """What tells whether an item says the same as before."""
    return hashlib.blake2b(msgspec.json.encode(item), digest_size=16).digest()
