"""What a deletion meets, without a database."""

from typing import TYPE_CHECKING
from uuid import UUID

from cms_api.domains.cms.documents.content import Link
from cms_api.domains.cms.documents.references import Effect, Effects, Mode, grouped

if TYPE_CHECKING:
    from tests.fakes_cms import Store


def effects_of(store: "Store", target: UUID, mode: Mode, *, limit: int) -> Effects:
    def is_trashed(one: UUID) -> bool:
        return store.documents[one].trashed_at is not None

    def counts(one: UUID, link: Link) -> bool:
        if mode == "trash":
            return not is_trashed(one) and link.field != "parent"
        if mode == "delete":
            return (not is_trashed(one) or link.target == target) and link.on_delete != "cascade"
        return True

    pairs = [(key[0], link) for key, links in store.links.items() for link in links]
    going, before = {target}, 0
    while len(going) != before:
        before = len(going)
        going |= {
            one
            for one, link in pairs
            if link.on_delete == "cascade" and link.target in going and is_trashed(one) == (mode == "purge")
        }
    forbids: dict[UUID, bool] = {}
    for one, link in pairs:
        if link.target in going and one not in going and counts(one, link):
            forbids[one] = forbids.get(one, False) or link.on_delete != "unlink"
    if mode == "purge":
        forbids |= {
            one: True
            for one, row in store.documents.items()
            if row.translation_of in going and one not in going
        }
    met: dict[Effect, list[UUID]] = {
        "cascaded": sorted(going - {target}),
        "restricted": sorted(one for one, is_so in forbids.items() if is_so),
        "unlinked": sorted(one for one, is_so in forbids.items() if not is_so),
    }
    return grouped(
        [
            (effect, len(ids), one, store.documents[one].type, store.documents[one].draft.heading)
            for effect, ids in met.items()
            for one in (ids[:limit] if effect == "restricted" else ids)
        ]
    )
