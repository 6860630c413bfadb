"""What is asked for of whatever is at a path."""

from collections.abc import Collection, Iterable, Sequence

import msgspec

from cms_api.kernel.errors import Malformed
from cms_api.querying import Listing, Selection
from cms_api.querying.costs import DEFAULT_LIMIT_OF_COST, check_selection
from cms_api.querying.parsing import Refused, selection_of
from cms_api.querying.spellings import PARAMETERS, of_parameters


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for of a document before it is known which one it is.

    ``include`` and ``fields`` are the values of the query parameters of these names: comma-separated
    names of anything that documents have. ``format`` is that of texts, ``cost_limit`` what it may cost
    in points.
    """

    include: str = ""
    fields: str | None = None
    format: str = "html"
    cost_limit: int = DEFAULT_LIMIT_OF_COST

    def of(self, listing: Listing, others: Sequence[Listing]) -> Selection:
        """What of it there is in a document of ``listing``; one of ``others`` might have been there as well.

        Raises `Malformed` that names what no document has, and `QueryTooCostly`.
        """
        include = _kept(self.include, listing.relations, [one.relations for one in others])
        pairs = [("include", include), ("format", self.format)]
        if self.fields is not None:
            fields = _kept(self.fields, listing.shown, [one.shown for one in others])
            # Where nothing of what is wanted is here, the id tells at least which document this is.
            pairs.append(("fields", fields or "id"))
        try:
            found = selection_of(of_parameters(pairs), listing, PARAMETERS)
        except Refused as error:
            raise Malformed(error.detail, faults=error.faults) from None
        check_selection(found, listing, self.cost_limit)
        return found

    def asks_only(self, listings: Sequence[Listing]) -> bool:
        """Whether some of ``listings`` have all that is asked for."""
        relations = {name for listing in listings for name in listing.relations}
        shown = {name for listing in listings for name in listing.shown}
        return _heads(self.include) <= relations and _heads(self.fields or "") <= shown


def _kept(names: str, here: Collection[str], elsewhere: Iterable[Collection[str]]) -> str:
    """Those names that are known here; those that are known nowhere stay, to be refused."""
    dropped = {name for known in elsewhere for name in known} - {*here}
    return ",".join(name for name in names.split(",") if name.partition(".")[0] not in dropped)


def _heads(names: str) -> set[str]:
    return {name.partition(".")[0] for name in names.split(",") if name}
