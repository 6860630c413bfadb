"""Menus, made whole once everything that they may point at is here."""

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from cms_api.domains.cms.imports.ports import Imported, ImportSources
from cms_api.domains.cms.imports.source import SourceMenu, SourceMenuItem, SourceTerm
from cms_api.domains.cms.imports.steps import Outcome, Step, Tools, changed_here, digest_of, size_of, told
from cms_api.domains.cms.menus.interface import MenuChanges, NewMenu
from cms_api.domains.cms.menus.items import MAX_DEPTH, NewItem, Planting, Target
from cms_api.domains.cms.menus.ports import MenuRepository
from cms_api.domains.cms.menus.service import MAX_KEY
from cms_api.domains.cms.resources import ResourceNotFound
from cms_api.kernel.actor import SYSTEM
from cms_api.kernel.errors import Faults, Invalid
from cms_api.kernel.unit_of_work import UnitOfWork

KIND = "menu"
# Menus are held until all else is here; no more of them than that, in characters.
HELD = 8 * 1024 * 1024
# As long as a name may be that the API takes.
NAME = 200
UNHELD = "menu, or item of one, beyond what an import holds"
# What items point at there, and what that is among the targets here.
_KINDS: Mapping[str, Literal["document", "category", "tag"]] = {
    "post": "document",
    "page": "document",
    "category": "category",
    "tag": "tag",
}
_WORD = re.compile(r"[a-z0-9]+")
# The first part of an address that names no scheme and yet a host, as WordPress reads it.
_HOST = re.compile(r"(?![^/?#]+\.(?:php|html?)(?:[/?#]|\Z))[^/?#:@]+\.[^/?#:@.]{2,}(?::\d+)?(?:[/?#]|\Z)")


class _Said(msgspec.Struct, frozen=True):
    """What an export says of a menu, with what its items point at here; made a hash of."""

    name: str
    items: tuple[tuple[SourceMenuItem, Target | None], ...]


class Menus(Step):
    """Takes over menus with all their items."""

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        self._menus: dict[str, SourceMenu] = {}
        self._items: dict[str, list[SourceMenuItem]] = {}
        self._cut: set[str] = set()
        self._terms: dict[tuple[str, str], str | None] = {}
        self._size = 0

    def gather(self, item: SourceMenu | SourceMenuItem) -> None:
        """Hold a menu, or an item; the items come in any order, and may come before their menu."""
        key = item.key if isinstance(item, SourceMenu) else item.menu_key
        self._size += size_of(item)
        if self._size > HELD:
            self.report.unplaced[UNHELD] += 1
            if key in self._menus and isinstance(item, SourceMenuItem):
                self._cut.add(key)
            return
        if isinstance(item, SourceMenu):
            self._menus[key] = SourceMenu(key=key, name=item.name[:NAME])
            return
        self._menus.setdefault(key, SourceMenu(key=key, name=item.menu_name[:NAME]))
        self._items.setdefault(key, []).append(item)
        if item.target in ("category", "tag"):
            self._terms[item.target, item.target_key] = None

    def meet(self, term: SourceTerm) -> None:
        """Note the key of a term that an item calls by its number."""
        called = term.taxonomy, term.number or ""
        if called in self._terms:
            self._terms[called] = term.key

    async def complete(self) -> None:
        """Make the menus, each in a unit of work of its own."""
        for key, menu in self._menus.items():
            self.report.of(KIND).read += 1
            what = f"menu {key[:60]}"
            await self._guarded(KIND, what, partial(self._menu, menu=menu, what=what))

    async def _menu(self, uow: UnitOfWork, menu: SourceMenu, what: str) -> Outcome:
        if menu.key in self._cut:
            raise Invalid("it has more items than an import holds: left out")
        items = sorted(self._items.get(menu.key, ()), key=lambda item: (item.order, len(item.key), item.key))
        targets = await self._targets(uow, items)
        known = await self._known(uow, KIND, menu.key)
        digest = digest_of(_Said(menu.name, tuple((item, targets.get(item.key)) for item in items)))
        if known is not None and known.hash == digest:
            return "unchanged"
        menus = uow.repository(MenuRepository)
        if known is not None:
            current = await menus.get(known.target_id)
            if current is None:
                raise ResourceNotFound(KIND)
            if current.version != known.version:
                raise changed_here()
        pointed = {target for target in targets.values() if target.id is not None}
        there = await menus.existing(pointed) if pointed else frozenset[Target]()
        made: dict[str, NewItem] = {}
        for item in items:
            new, why = _made(item, targets.get(item.key), there)
            if new is not None:
                made[item.key] = new
            else:
                self.report.note(f"{what}, item {item.key} “{item.label[:60]}”", f"{why}: left out")
        tree = arranged(items, made)
        if known is None:
            new_menu = NewMenu(key=menu_key(menu.key), name=menu.name, items=tree)
            view = await self._do.menus.create(uow, SYSTEM, new_menu)
        else:
            changes = MenuChanges(name=menu.name, items=tree)
            view = await self._do.menus.update(uow, SYSTEM, known.target_id, changes, expected=None)
        await self._remember(uow, KIND, menu.key, Imported(view.id, digest, view.version))
        return "created" if known is None else "updated"

    async def _targets(self, uow: UnitOfWork, items: Sequence[SourceMenuItem]) -> dict[str, Target]:
        """What the items point at, as far as that was imported, by their keys."""
        found = {
            item.key: Target(kind="url", url=address(item.target_key, self._source))
            for item in items
            if item.target == "url"
        }
        for kind, ours in _KINDS.items():
            keys = {item.key: self._key_of(item) for item in items if item.target == kind}
            wanted = {key for key in keys.values() if key is not None}
            known = await uow.repository(ImportSources).find(self._source, kind, wanted) if wanted else {}
            for item_key, key in keys.items():
                if key in known:
                    found[item_key] = Target(kind=ours, id=known[key].target_id)
        return found

    def _key_of(self, item: SourceMenuItem) -> str | None:
        """The key of the document or term that an item points at; None for a term that wasn't met."""
        if item.target in ("category", "tag"):
            return self._terms.get((item.target, item.target_key))
        return item.target_key


def _made(
    item: SourceMenuItem, target: Target | None, there: frozenset[Target]
) -> tuple[NewItem | None, str]:
    """The item without those below it; None and why where it can't be one."""
    if not item.is_shown:
        return None, "readers didn't see it there"
    if target is None or not (target.kind == "url" or target in there):
        return None, f"the {item.target_kind[:40] or 'thing'} that it leads to is not here"
    new = NewItem(
        label=item.label or None,
        title=item.title or None,
        target=target,
        opens_in_new_tab=item.opens_in_new_tab,
    )
    faults = Faults()
    Planting({}, faults).one(new, parent_id=None, position=0, depth=1, pointer="")
    try:
        faults.refuse()
    except Invalid as error:
        return None, told(error).rstrip(".")
    return new, ""


def arranged(items: Sequence[SourceMenuItem], made: Mapping[str, NewItem]) -> tuple[NewItem, ...]:
    """The items of a menu as a tree; ``items`` stand in their order.

    What hangs below an item that was not made moves up into its place. What hangs deeper than
    menus go stands beside its parent, behind it. A parent that is not in the menu is none.
    """
    keys = {item.key for item in items}
    below: dict[str | None, list[str]] = {}
    for item in items:
        below.setdefault(item.parent_key if item.parent_key in keys else None, []).append(item.key)
    branches: dict[str | None, list[str]] = {}
    above: dict[str, str | None] = {}
    depths: dict[str | None, int] = {None: 0}
    # Whatever hangs in a circle hangs below nothing: it comes last, and begins with the first of it.
    stack: list[tuple[str, str | None]] = [
        (key, None) for key in reversed([*below.get(None, ()), *(item.key for item in items)])
    ]
    met: set[str] = set()
    while stack:
        key, near = stack.pop()
        if key in met:
            continue
        met.add(key)
        if key in made:
            parent = above[near] if near is not None and depths[near] == MAX_DEPTH else near
            above[key], depths[key] = parent, depths[parent] + 1
            branches.setdefault(parent, []).append(key)
            near = key
        stack.extend((child, near) for child in reversed(below.get(key, ())))
    return _branch(branches, made, None)


def _branch(
    branches: Mapping[str | None, Sequence[str]], made: Mapping[str, NewItem], parent: str | None
) -> tuple[NewItem, ...]:
    return tuple(
        msgspec.structs.replace(made[key], children=_branch(branches, made, key))
        for key in branches.get(parent, ())
    )


def menu_key(slug: str) -> str:
    """The key that a menu gets here: its slug, as far as that is made of what keys are made of."""
    plain = unicodedata.normalize("NFKD", slug).encode("ascii", "ignore").decode().lower()
    key = "-".join(_WORD.findall(plain))[:MAX_KEY].rstrip("-")
    # In other scripts nothing is left, but the same slug has to get the same key.
    return key or f"menu-{hashlib.blake2b(slug.encode(), digest_size=4).hexdigest()}"


def address(given: str, site: str) -> str:
    """An address as menus have it: on the site itself a path. ``site`` is its address without scheme."""
    url = given.strip().replace(" ", "%20")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return url
    if host and parts.scheme in ("", "http", "https"):
        where = f"{host}{f':{port}' if port else ''}{parts.path}"
        if where.rstrip("/") == site or where.startswith(f"{site}/"):
            rest = parts._replace(scheme="", netloc="", path=where[len(site) :] or "/").geturl()
            return f"/{rest.lstrip('/')}"
        return url if parts.scheme else f"https:{url}"
    if not url or parts.scheme or url.startswith(("/", "#")):
        return url
    return f"http://{url}" if _HOST.match(url) else f"/{url}"
