"""Every content type at hand: those built in, and those made at run time as they are by now."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from cms_api.domains.cms.content_types.annotations import free_name, pascal
from cms_api.domains.cms.content_types.compiling import ALONE, EntryKind, Neighbours, compiled
from cms_api.domains.cms.content_types.errors import TypeNotFound
from cms_api.domains.cms.content_types.ports import ContentTypeQueries, TypeRecord
from cms_api.domains.cms.documents.interface import DocumentService
from cms_api.domains.cms.documents.types import Catalogue, DocumentTypes
from cms_api.domains.cms.entries.described import EntryDescription, described
from cms_api.domains.cms.entries.service import Entries


def kind_of(record: TypeRecord, name: str | None = None, neighbours: Neighbours = ALONE) -> EntryKind:
    """A stored type, ready for use."""
    return compiled(
        record.definition,
        version=record.version,
        conversions=record.conversions,
        unready=tuple(one.field for one in record.indexes if one.kind == "unique" and one.state != "ready"),
        name=name,
        neighbours=neighbours,
    )


class Types(DocumentTypes):
    """Keeps what it has compiled, and asks each time whether that still is the version.

    ``tools`` gives what the services of entries are made with, ``built_in`` those of types that
    are always there. Both are asked for when they are needed, as they know of this registry themselves.
    """

    def __init__(
        self,
        *,
        queries: ContentTypeQueries,
        tools: Callable[[], Mapping[str, Any]],
        built_in: Callable[[], Mapping[str, DocumentService[Any, Any]]],
    ) -> None:
        self._queries = queries
        self._tools = tools
        self._catalogue = Catalogue("", {})
        self._built_in = built_in
        self._kept: dict[str, tuple[tuple[int, bool, str], Entries]] = {}

    async def services(self, keys: Collection[str]) -> Mapping[str, DocumentService[Any, Any]]:
        built_in = self._built_in()
        found = {key: built_in[key] for key in keys if key in built_in}
        return {**found, **await self._entries([key for key in keys if key not in built_in])}

    async def catalogue(self, key: str | None = None) -> Catalogue:
        stamp = await self._queries.fingerprint()
        if stamp != self._catalogue.stamp:
            kinds = {record.key: kind_of(record) for record in await self._queries.all()}
            self._catalogue = Catalogue(stamp, kinds)
        if key is not None and key not in self._catalogue.kinds:
            raise TypeNotFound(key)
        return self._catalogue

    async def fingerprint(self) -> str:
        return await self._queries.fingerprint()

    async def described(self) -> Sequence[EntryDescription]:
        records = sorted(await self._queries.all(), key=lambda record: (record.created_at, record.id))
        neighbours = Neighbours("", {record.key: record.definition for record in records})
        taken: set[str] = set()
        found = []
        for record in records:
            name = free_name(pascal(record.key), taken)
            found.append(described(kind_of(record, name, neighbours), name))
        return found

    async def entries(self, key: str) -> Entries:
        """The service of the entries of a type that was made at run time. Raises `TypeNotFound`."""
        if (found := (await self._entries([key])).get(key)) is None:
            raise TypeNotFound(key)
        return found

    async def _entries(self, keys: Collection[str]) -> dict[str, Entries]:
        """The services of those types, made at run time, that are there."""
        now = await self._queries.versions(keys) if keys else {}
        for key in keys:
            if key not in now:
                self._kept.pop(key, None)
        stale = {key for key, stamp in now.items() if key not in self._kept or self._kept[key][0] != stamp}
        if stale:
            # All of them, as lists walk to other types. What is older than was asked for is asked for again.
            records = {record.key: record for record in await self._queries.all()}
            definitions = {one.key: one.definition for one in records.values()}
            for key in stale & records.keys():
                record, stamp = records[key], now[key][2]
                service = Entries(kind_of(record, neighbours=Neighbours(stamp, definitions)), **self._tools())
                is_ready = all(one.state == "ready" for one in record.indexes)
                self._kept[key] = ((record.version, is_ready, stamp), service)
            for key in stale - records.keys():
                self._kept.pop(key, None)
        # Another task may have found out in between that one of them is gone.
        return {key: self._kept[key][1] for key in now if key in self._kept}
