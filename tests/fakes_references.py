"""What a deletion meets, without a database."""

from collections.abc import Collection
from typing import TYPE_CHECKING
from uuid import UUID

from cms_api.domains.cms.documents.content import Link
from cms_api.domains.cms.documents.references import Effect, Effects, FieldOf, Mode, grouped

if TYPE_CHECKING:
    from tests.fakes_cms import Store


Pairs = list[tuple[UUID, Link]]


def reached(target: UUID, pairs: Pairs) -> set[UUID]:
    """All that gets to the target by those links, and the target."""
    found, before = {target}, 0
    while len(found) != before:
        before = len(found)
        found |= {one for one, link in pairs if link.target in found}
    return found


def effects_of(
    store: "Store",
    target: UUID,
    mode: Mode,
    *,
    limit: int,
    withheld: Collection[FieldOf] = (),
    is_preview: bool = False,
) -> Effects:
    def is_trashed(one: UUID) -> bool:
        return store.documents[one].trashed_at is not None

    def counts(one: UUID, link: Link) -> bool:
        if mode == "trash":
            return not is_trashed(one) and link.field != "parent"
        if mode == "delete":
            return (not is_trashed(one) or link.target == target) and link.on_delete != "cascade"
        return True

    def along(pairs: Pairs) -> Pairs:
        return [
            (one, link)
            for one, link in pairs
            if link.on_delete == "cascade" and is_trashed(one) == (mode == "purge")
        ]

    pairs = [(key[0], link) for key, links in store.links.items() for link in links]
    open_ = [
        (one, link) for one, link in pairs if FieldOf(store.documents[one].type, link.field) not in withheld
    ]
    going, told = reached(target, along(pairs)), reached(target, along(open_))

    def staying(pairs: Pairs, within: set[UUID]) -> dict[UUID, bool]:
        """Who loses a link to any of those, and whether that is forbidden."""
        found: dict[UUID, bool] = {}
        for one, link in pairs:
            if link.target in within and one not in going and counts(one, link):
                found[one] = found.get(one, False) or link.on_delete != "unlink"
        if mode == "purge":
            rows = store.documents.items()
            found |= {one: True for one, row in rows if row.translation_of in within and one not in going}
        return found

    forbids, tells = staying(pairs, going), staying(open_, told)
    named = told | {one for one, is_so in tells.items() if is_so == forbids[one]}
    met: dict[Effect, list[UUID]] = {
        "cascaded": sorted(going - {target}),
        "restricted": sorted(one for one, is_so in forbids.items() if is_so),
        "unlinked": sorted(one for one, is_so in forbids.items() if not is_so),
    }
    return grouped(
        [
            (
                effect,
                len(ids),
                one,
                store.documents[one].type,
                store.documents[one].draft.heading,
                one in named or not (is_preview or effect == "restricted"),
            )
            for effect, ids in met.items()
            for one in sorted(ids, key=lambda one: one not in named)[
                : limit if is_preview or effect == "restricted" else None
            ]
        ]
    )
