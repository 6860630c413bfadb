"""Choosing a page's order among its siblings."""

from collections.abc import Sequence
from uuid import UUID

from cms_api.domains.cms.pages.errors import NoRoom
from cms_api.domains.cms.pages.interface import Place
from cms_api.domains.cms.pages.ports import Sibling
from cms_api.kernel.errors import Faults, invalid

# What is left between two orders where there is nothing to be considered.
GAP = 10
# The range of orders, as the API takes them.
LOWEST, HIGHEST = -1_000_000, 1_000_000
# Each of them is an edit of its own; all are in one transaction.
MAX_RENUMBERED = 200


def position(siblings: Sequence[Sibling], page_id: UUID, place: Place) -> int:
    """How many of ``siblings`` come before the page. Raises `Invalid` with every fault of ``place``."""
    ids, faults = [sibling.id for sibling in siblings], Faults()
    for field, wanted in (("before", place.before), ("after", place.after)):
        with faults.noted():
            if wanted == page_id:
                raise invalid(f"/{field}", "itself", "A page can't be its own neighbour.")
            if wanted is not None and wanted not in ids:
                detail = "This is no page below that parent which could be ordered."
                raise invalid(f"/{field}", "not_a_sibling", detail)
    with faults.noted():
        if place.before is not None and place.after is not None:
            raise invalid("/after", "two_neighbours", "Give “before” or “after”, not both.")
    faults.refuse()
    if place.before is not None:
        return ids.index(place.before)
    return len(ids) if place.after is None else ids.index(place.after) + 1


def orders(siblings: Sequence[Sibling], at: int, page_id: UUID, now: int) -> dict[UUID, int]:
    """The orders that put the page behind the first ``at`` of ``siblings``, which are in their order.

    Its own one, ``now`` where that is right already, and new ones for the fewest siblings beside it
    with which there is room for all. Raises `NoRoom`.
    """
    low, high = _narrowest(siblings, at)
    floor = siblings[low - 1].order if low else None
    ceiling = siblings[high].order if high < len(siblings) else None
    if low == high and (floor is None or floor < now) and (ceiling is None or now < ceiling):
        return {page_id: now}
    inside = [*(s.id for s in siblings[low:at]), page_id, *(s.id for s in siblings[at:high])]
    before = {sibling.id: sibling.order for sibling in siblings[low:high]}
    chosen = dict(zip(inside, _spread(floor, ceiling, len(inside)), strict=True))
    return {one: order for one, order in chosen.items() if before.get(one) != order}


def _narrowest(siblings: Sequence[Sibling], at: int) -> tuple[int, int]:
    """The smallest stretch of siblings around ``at`` that has room for one more."""
    for width in range(min(len(siblings), MAX_RENUMBERED) + 1):
        for low in range(max(0, at - width), min(at, len(siblings) - width) + 1):
            high = low + width
            floor = siblings[low - 1].order if low else LOWEST - 1
            ceiling = siblings[high].order if high < len(siblings) else HIGHEST + 1
            if ceiling - floor - 1 > width:
                return low, high
    raise NoRoom(MAX_RENUMBERED)


def _spread(floor: int | None, ceiling: int | None, number: int) -> list[int]:
    """That many ascending orders strictly between two, between which there is room; None is an end."""
    lowest, highest = LOWEST - 1 if floor is None else floor, HIGHEST + 1 if ceiling is None else ceiling
    step = min(GAP, (highest - lowest) // (number + 1))
    if ceiling is None:
        start = (floor or 0) + step
    elif floor is None:
        start = ceiling - step * number
    else:
        start = floor + (ceiling - floor - step * (number - 1)) // 2
    return [start + step * n for n in range(number)]
