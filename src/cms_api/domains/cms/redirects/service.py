"""Deciding about redirects."""

from collections.abc import Collection, Sequence
from typing import Any
from urllib.parse import quote
from uuid import UUID

import msgspec

from cms_api.domains.cms.content_types.definition import BUILT_IN
from cms_api.domains.cms.delivery.interface import Delivered
from cms_api.domains.cms.delivery.service import NothingPublished
from cms_api.domains.cms.documents.policy import READ
from cms_api.domains.cms.redirects.errors import RedirectChain, RedirectTaken
from cms_api.domains.cms.redirects.interface import RedirectChanges, RedirectService, RedirectView
from cms_api.domains.cms.redirects.model import GONE, Redirect
from cms_api.domains.cms.redirects.paths import (
    clean_path,
    clean_target,
    is_address,
    is_at_or_below,
    with_ancestors,
)
from cms_api.domains.cms.redirects.ports import (
    Detour,
    Leading,
    LivePlace,
    RedirectQueries,
    RedirectRepository,
)
from cms_api.domains.cms.redirects.wanted import Wanted
from cms_api.domains.cms.redirects.wholes import Wholes
from cms_api.domains.cms.resources import ResourceNotFound, given
from cms_api.domains.cms.site.events import SITE_ID
from cms_api.kernel.actor import Actor
from cms_api.kernel.clock import Clock
from cms_api.kernel.errors import Faults, Invalid, invalid
from cms_api.kernel.ids import new_id
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.kernel.versions import check_version
from cms_api.querying import Page, PageRequest

MANAGE = "redirects:manage"
PERMISSIONS = {MANAGE: "Create, change and delete redirects."}
# The fields as clients know them, where the entity calls them otherwise.
_NAMES = {"kind": "match", "document": "document_id"}
_SHOWN = {inner: outer for outer, inner in _NAMES.items()}
_SAFE = "/:@!$&'()*+,;=~-._"


def view(redirect: Redirect) -> RedirectView:
    """The redirect as others see it."""
    return RedirectView(
        **{name: getattr(redirect, _NAMES.get(name, name)) for name in RedirectView.__struct_fields__}
    )


class Redirects(RedirectService):
    """The service of redirects."""

    def __init__(
        self, *, clock: Clock, queries: RedirectQueries, wholes: Wholes, default_locale: str
    ) -> None:
        self._clock = clock
        self._queries = queries
        self._wholes = wholes
        self._default_locale = default_locale

    async def create(
        self, uow: UnitOfWork, actor: Actor, changes: RedirectChanges, *, locale: str | None = None
    ) -> RedirectView:
        actor.require(MANAGE)
        redirects = uow.repository(RedirectRepository)
        await redirects.lock_all()
        values: dict[str, Any] = {"match": "exact", "status": 301, **_entity_values(changes)}
        locale = locale or self._default_locale
        values = await _checked(redirects, values, locale)
        now = self._clock.now()
        redirect = Redirect(id=new_id(), locale=locale, created_at=now, updated_at=now, **values)
        await _refuse_chains(redirects, redirect)
        await redirects.add(redirect)
        uow.record(redirect.created().by(actor))
        return view(redirect)

    async def get(self, actor: Actor, redirect_id: UUID) -> RedirectView:
        actor.require(READ)
        if (redirect := await self._queries.get(redirect_id)) is None:
            raise ResourceNotFound("redirect")
        return redirect

    async def list(self, actor: Actor, page: PageRequest) -> Page[RedirectView]:
        actor.require(READ)
        return await self._queries.list(page)

    async def update(
        self,
        uow: UnitOfWork,
        actor: Actor,
        redirect_id: UUID,
        changes: RedirectChanges,
        *,
        expected: int | None,
    ) -> RedirectView:
        actor.require(MANAGE)
        redirects = uow.repository(RedirectRepository)
        await redirects.lock_all()
        redirect = await _of(redirects, redirect_id)
        check_version(redirect.version, expected)
        values = {name: getattr(redirect, name) for name in _FIELDS} | _entity_values(changes)
        values = await _checked(redirects, values, redirect.locale)
        if any(getattr(redirect, name) != value for name, value in values.items()):
            values["is_automatic"] = False
        updated = redirect.change(values, expected=expected, at=self._clock.now())
        if updated is not None:
            await _refuse_chains(redirects, redirect)
            await redirects.save(redirect)
            changed = tuple(_SHOWN.get(name, name) for name in updated.changed)
            uow.record(msgspec.structs.replace(updated, changed=changed).by(actor))
        return view(redirect)

    async def delete(self, uow: UnitOfWork, actor: Actor, redirect_id: UUID, *, expected: int | None) -> None:
        actor.require(MANAGE)
        redirects = uow.repository(RedirectRepository)
        redirect = await _of(redirects, redirect_id)
        deleted = redirect.deleted(expected=expected)
        await redirects.delete(redirect)
        uow.record(deleted.by(actor))

    async def resolve(self, path: str, locale: str | None, wanted: Wanted | None = None) -> Delivered:
        try:
            place = clean_path(path, pointer="/path")
        except Invalid:
            raise NothingPublished from None  # nothing can be there
        found = await self._queries.resolve(place, with_ancestors(place), locale or self._default_locale)
        if found is None:
            raise NothingPublished
        if isinstance(found, LivePlace):
            return await self._whole(found, wanted)
        if found.to is None and found.status != GONE:
            raise NothingPublished
        used = str(found.id) if found.document_id is None else f"{found.id},{found.document_id}"
        answer: dict[str, Any] = {"kind": "redirect", "status": found.status, "location": _location(found)}
        return _delivered(answer, used)

    async def those(self, ids: Collection[UUID]) -> Sequence[Delivered]:
        return [
            _delivered(_shown(one), str(one.id))
            for one in await self._queries.those(ids)
            if one.to is not None or one.status == GONE
        ]

    async def _whole(self, found: LivePlace, wanted: Wanted | None) -> Delivered:
        """What is live, with the document itself, which is JSON already, where that is wanted."""
        answer = _told(found)
        if wanted is None:
            return _delivered(answer, str(found.id))
        document = await self._wholes.of(found, wanted)
        head = msgspec.json.encode(answer).decode().removesuffix("}")
        return Delivered(f'{head},"document":{document.json}}}', "", f"{SITE_ID},{document.used}")


def _told(found: LivePlace) -> dict[str, Any]:
    """What is live at a path, and where it can be read."""
    if found.kind in BUILT_IN:
        what, plural = {"kind": found.kind}, f"{found.kind}s"
    else:
        what, plural = {"kind": "entry", "type": found.kind}, f"entries/{found.kind}"
    return {**what, "id": found.id, "path": found.path, "url": f"/api/v1/content/{plural}/{found.id}"}


def _shown(found: Leading) -> dict[str, Any]:
    """A redirect as the public sees it."""
    return {
        "id": found.id,
        "locale": found.locale,
        "kind": found.match,
        "source": found.source,
        "status": found.status,
        "location": _location(found),
        "document": found.document,
    }


_FIELDS = ("match", "source", "document_id", "target", "status")


def _entity_values(changes: RedirectChanges) -> dict[str, Any]:
    """The values given, by the entity's names; where it leads now gives way to where it is to lead."""
    values = {_NAMES.get(name, name): value for name, value in given(changes).items()}
    if values.get("status") == GONE:
        return {"document_id": None, "target": None, **values}
    if values.get("target") is not None:
        return {"document_id": None, **values}
    if values.get("document_id") is not None:
        return {"target": None, **values}
    return values


async def _checked(redirects: RedirectRepository, values: dict[str, Any], locale: str) -> dict[str, Any]:
    """The values in their one form. Raises `Invalid` with every fault."""
    faults, is_prefix = Faults(), values["match"] == "prefix"
    document, target = values.get("document_id"), values.get("target")
    with faults.noted():
        if "source" not in values:
            raise invalid("/source", "required", "The field “source” is required.")
        values["source"] = clean_path(values["source"], pointer="/source")
        if is_prefix and not values["source"]:
            raise invalid("/source", "path", "A prefix has a name at least: the root is above everything.")
    with faults.noted():
        if target is not None:
            values["target"] = clean_target(target, is_prefix=is_prefix, pointer="/target")
    with faults.noted():
        _check_number(values["status"], document, target)
    with faults.noted():
        if document is not None and not await redirects.has_document(document, locale):
            detail = "There is nothing with this id that has an address in this language."
            raise invalid("/document", "unknown_reference", detail)
    faults.refuse()
    _refuse_loop(values)
    return values


def _check_number(status: int, document: UUID | None, target: str | None) -> None:
    if status == GONE and (document is not None or target is not None):
        raise invalid("/status", "gone", "What is gone (410) leads nowhere.")
    if document is not None and target is not None:
        raise invalid("/target", "two_targets", "It leads to a document or to a target, not to both.")
    if status != GONE and document is None and target is None:
        raise invalid("/target", "required", "Name a document or a target, or 410 as status.")


def _refuse_loop(values: dict[str, Any]) -> None:
    source, target = values["source"], values.get("target")
    if target is None or is_address(target):
        return
    if target == source or (values["match"] == "prefix" and is_at_or_below(target, source)):
        raise invalid("/target", "loop", "It would lead to itself.")


async def _refuse_chains(redirects: RedirectRepository, redirect: Redirect) -> None:
    if (other := await redirects.twin(redirect)) is not None:
        raise RedirectTaken(redirect.source, other)
    if (other := await redirects.behind(redirect)) is not None:
        raise RedirectChain(other, is_behind=True)
    if (other := await redirects.before(redirect)) is not None:
        raise RedirectChain(other, is_behind=False)


async def _of(redirects: RedirectRepository, redirect_id: UUID) -> Redirect:
    if (redirect := await redirects.get(redirect_id)) is None:
        raise ResourceNotFound("redirect")
    return redirect


def _location(found: Detour) -> str | None:
    """Where to go, ready for the header of that name (RFC 9110, section 10.2.2)."""
    to = found.to
    if to is None:
        return None
    if is_address(to):
        scheme, _, rest = to.partition("://")
        return f"{scheme}://{quote(rest, safe=_SAFE + '?#[]%')}"
    # From /a/b to /a: what is called /a/b/b/c would be led away once more.
    while found.target is not None and found.document_id is None and _is_led_on(to, found):
        to = f"{found.target}{to[len(found.source) :]}".lstrip("/")
    return "/" + quote(to, safe=_SAFE)


def _is_led_on(to: str, found: Detour) -> bool:
    return found.match == "prefix" and is_at_or_below(to, found.source)


def _delivered(answer: dict[str, Any], used: str) -> Delivered:
    return Delivered(msgspec.json.encode(answer).decode(), "", used)
