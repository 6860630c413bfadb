"""Selections: what of each row is shown, and what is shown in the place of an id."""

from typing import Literal

import msgspec

from cms_api.querying.pages import SortKey

TextFormat = Literal["html", "markdown", "text", "blocks"]

# What each row has besides where a list is searched: what matches.
HIGHLIGHTS = "highlights"


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """What of a row is wanted.

    ``include`` are the relations to expand, each with what is wanted of the rows there; a group or
    blocks may stand on the way to one. ``fields`` are those to keep, None for all. ``limit`` and
    ``sort`` say how many of a relation to many are wanted, and in which order. ``format`` is that of
    texts, of the rows that were asked for.
    """

    include: "tuple[tuple[str, Selection], ...]" = ()
    fields: tuple[str, ...] | None = None
    limit: int | None = None
    sort: tuple[SortKey, ...] = ()
    format: TextFormat = "html"

    def of(self, name: str) -> "Selection | None":
        """What is wanted of what a relation leads to; None where it is not included."""
        return next((one for step, one in self.include if step == name), None)

    def wants(self, name: str) -> bool:
        """Whether a field is to be kept."""
        return self.fields is None or name in self.fields

    @property
    def included(self) -> frozenset[str]:
        """The names of what is included and not dropped."""
        return frozenset(name for name, _ in self.include if self.wants(name))

    @property
    def depth(self) -> int:
        """How many levels of includes there are."""
        return max((1 + one.depth for _, one in self.include), default=0)


NO_SELECTION = Selection()
