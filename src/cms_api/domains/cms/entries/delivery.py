"""Published entries: what may be asked of them, worked out from their types as they are by now."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from cms_api.domains.cms.content_types.compiling import EntryKind
from cms_api.domains.cms.content_types.fields import (
    RELATIONS,
    BlocksField,
    Field,
    GroupField,
    ListField,
    MediaField,
    ReferenceField,
    ReferencesField,
    walk,
)
from cms_api.domains.cms.delivery.interface import FIELDS, INCLUDES, Delivered, Kind
from cms_api.domains.cms.delivery.service import NothingPublished
from cms_api.domains.cms.documents.rendering import BodyFormat
from cms_api.domains.cms.documents.types import Catalogue, DocumentTypes
from cms_api.domains.cms.entries.listing import public_listing_of
from cms_api.kernel.errors import Malformed
from cms_api.kernel.paging import Listing, Page, PageRequest

MAX_DEPTH = 3
MAX_INCLUDES = 20
OWN = (
    "id", "type", "slug", "status", "author", "authors", "seo", "locale", "version", "published_at",
    "first_published_at", "created_at", "updated_at",
)  # fmt: skip
# What those have besides whose type has addresses.
ADDRESSED = (*OWN, "path")
BUILT_IN: dict[str, Kind] = {"post": "posts", "page": "pages"}
FILE = ("id", "url", "filename", "title", "alt", "caption", "media_type", "size", "width", "height")

# Names, and what is wanted inside of each.
Tree = dict[str, Any]


def own_of(kind: EntryKind) -> tuple[str, ...]:
    """What the entries of a type have besides its fields."""
    return OWN if kind.definition.path is None else ADDRESSED


class EntrySelection(msgspec.Struct, frozen=True, kw_only=True):
    """What of each entry is wanted: relations to expand, at any depth, and fields to keep (None: all).

    ``spelling`` is how it was asked for, the same for equal selections; ``format`` that of texts.
    """

    include: Tree
    fields: Tree | None
    depth: int
    spelling: tuple[str, str | None]
    format: BodyFormat = "html"


class EntryQueries(ABC):
    """Published entries as JSON, encoded by the database: one statement a read."""

    @abstractmethod
    async def one(
        self,
        catalogue: Catalogue,
        key: str,
        by: Literal["id", "slug"],
        value: object,
        selection: EntrySelection,
        locale: str,
    ) -> Delivered | None:
        """One entry."""

    @abstractmethod
    async def list(
        self, catalogue: Catalogue, key: str, page: PageRequest, selection: EntrySelection
    ) -> Page[Delivered]:
        """A page of entries."""


class EntryReader:
    """The published entries of one type.

    ``listing`` is what lists can be sorted by and filtered on; ``is_self_contained``, whether what
    is shown changes with the entry itself only.
    """

    def __init__(self, *, queries: EntryQueries, catalogue: Catalogue, key: str, default_locale: str) -> None:
        self._queries = queries
        self._catalogue = catalogue
        self._key = key
        self._kind: EntryKind = catalogue.kinds[key]
        self._default_locale = default_locale
        self.listing: Listing = public_listing_of(self._kind.definition)
        self.is_self_contained = not any(map(_relates, self._kind.definition.fields))

    def selection(self, include: str, fields: str | None, format: BodyFormat = "html") -> EntrySelection:
        """What `include`, `fields` and `format` of a query string ask for. Raises `Malformed`."""
        paths = sorted({part for part in include.split(",") if part})
        if len(paths) > MAX_INCLUDES:
            raise Malformed(f"At most {MAX_INCLUDES} includes are taken.")
        tree: Tree = {}
        for path in paths:
            self._check(path, [self._key], what="include")
            _plant(tree, path)
        wanted: Tree | None = None
        if fields is not None:
            wanted = {}
            for path in sorted({part for part in fields.split(",") if part}):
                self._check_field(path, tree)
                _plant(wanted, path)
            if not wanted:
                raise Malformed("“fields” names no field.")
        return EntrySelection(
            include=tree,
            fields=wanted,
            depth=_depth(tree),
            spelling=(",".join(paths), fields),
            format=format,
        )

    async def one(
        self, by: Literal["id", "slug"], value: object, selection: EntrySelection, locale: str | None
    ) -> Delivered:
        """One entry. Raises `NothingPublished`."""
        found = await self._queries.one(
            self._catalogue, self._key, by, value, selection, locale or self._default_locale
        )
        if found is None:
            raise NothingPublished
        return found

    async def page(self, page: PageRequest, selection: EntrySelection) -> Page[Delivered]:
        """A page of entries, as the listing allows."""
        return await self._queries.list(self._catalogue, self._key, page, selection)

    def _check(self, path: str, types: list[str], *, what: str) -> None:
        """Raise `Malformed` unless each step of ``path`` is a relation, or leads to one."""
        steps = path.split(".")
        if len(steps) > 2 * MAX_DEPTH:
            raise Malformed(f"An {what} goes at most {MAX_DEPTH} relations deep.")
        fields, depth, place = self._tops(types), 0, 0
        while place < len(steps):
            step = steps[place]
            named = [field for field in fields if field.key == step]
            if not named and not (step in ("author", "authors") and place == len(steps) - 1):
                if place and self._is_known(types, steps[place:]):
                    return
                known = ", ".join(sorted({f.key for f in fields if _relates(f)})[:20])
                raise Malformed(
                    f"There is no {what} “{path[:100]}” here. There are: author, authors, {known}."
                )
            if not named:
                return
            fields, types, depth = self._inside(named, depth)
            place += 1
        if depth == 0 or not any(map(_relates, named)):
            raise Malformed(f"“{path[:100]}” is no relation.")
        if depth > MAX_DEPTH:
            raise Malformed(f"An {what} goes at most {MAX_DEPTH} relations deep.")

    def _inside(self, named: list[Field], depth: int) -> tuple[list[Field], list[str], int]:
        """What a step leads to: the fields there, of which types, and how many relations deep."""
        fields: list[Field] = []
        types: list[str] = []
        crosses = False
        for field in named:
            bare = field.of if isinstance(field, ListField) else field
            match bare:
                case GroupField():
                    fields += bare.fields
                case BlocksField():
                    fields += [one for variant in bare.variants for one in variant.fields]
                case ReferenceField() | ReferencesField():
                    crosses = True
                    types += bare.types or [*self._catalogue.kinds, *BUILT_IN]
                case MediaField():
                    crosses = True
                case _:
                    pass
        return fields + self._tops(types), types, depth + crosses

    def _tops(self, types: list[str]) -> list[Field]:
        kinds = [self._catalogue.kinds[key] for key in types if key in self._catalogue.kinds]
        return [one for kind in kinds for one in kind.definition.fields if one.visibility == "public"]

    def _is_known(self, types: list[str], rest: list[str]) -> bool:
        """Whether a built-in type has the relation that is left of a path."""
        return len(rest) == 1 and any(rest[0] in INCLUDES[BUILT_IN[key]] for key in types if key in BUILT_IN)

    def _check_field(self, path: str, include: Tree) -> None:
        head, _, tail = path.partition(".")
        own = {field.key for field in self._tops([self._key])}
        if head not in own and head not in own_of(self._kind):
            raise Malformed(f"There is no field “{path[:100]}” here.")
        if tail and head not in include:
            raise Malformed(f"There is no field “{path[:100]}” here: is its relation included?")
        if tail and not self._may_have(head, tail.split(".")[0]):
            raise Malformed(f"There is no field “{path[:100]}” here.")

    def _may_have(self, head: str, name: str) -> bool:
        if head in ("author", "authors"):
            return name in FIELDS["authors"]
        named = [field for field in self._tops([self._key]) if field.key == head]
        fields, types, _ = self._inside(named, 0)
        if name in {field.key for field in fields} or (types and name in ADDRESSED):
            return True
        built_in = {one for key in types if key in BUILT_IN for one in FIELDS[BUILT_IN[key]]}
        return name in built_in or (any(isinstance(f, MediaField) for f in named) and name in FILE)


def _relates(field: Field) -> bool:
    """Whether there are ids in a value of it."""
    return any(isinstance(one, RELATIONS) for one in walk((field,)))


def _plant(tree: Tree, path: str) -> None:
    for step in path.split("."):
        tree = tree.setdefault(step, {})


def _depth(tree: Mapping[str, Any]) -> int:
    return max((1 + _depth(inner) for inner in tree.values()), default=0)


class EntryDeliveryService(ABC):
    """What the public may read of entries."""

    @abstractmethod
    async def of(self, key: str) -> EntryReader:
        """The entries of a type. Raises `TypeNotFound`."""


class EntryDelivery(EntryDeliveryService):
    """The service of published entries. Readers are kept until any type changes."""

    def __init__(self, *, types: DocumentTypes, queries: EntryQueries, default_locale: str) -> None:
        self._types = types
        self._queries = queries
        self._default_locale = default_locale
        self._stamp = ""
        self._readers: dict[str, EntryReader] = {}

    async def of(self, key: str) -> EntryReader:
        catalogue = await self._types.catalogue(key)
        if catalogue.stamp != self._stamp:
            self._readers.clear()
            self._stamp = catalogue.stamp
        if (reader := self._readers.get(key)) is None:
            reader = self._readers[key] = EntryReader(
                queries=self._queries, catalogue=catalogue, key=key, default_locale=self._default_locale
            )
        return reader
