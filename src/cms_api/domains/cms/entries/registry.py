"""Every content type at hand: those built in, and those made at run time as they are by now."""

from collections.abc import Callable, Mapping, Sequence
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

    async def service(self, key: str) -> DocumentService[Any, Any]:
        return self._built_in().get(key) or await self.entries(key)

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
        now = await self._queries.version(key)
        if now is None:
            self._kept.pop(key, None)
            raise TypeNotFound(key)
        kept = self._kept.get(key)
        if kept is not None and kept[0] == now:
            return kept[1]
        # All of them, as lists walk to other types. What is older than was asked for is asked for again.
        records = {record.key: record for record in await self._queries.all()}
        if (record := records.get(key)) is None:
            raise TypeNotFound(key)
        neighbours = Neighbours(now[2], {one.key: one.definition for one in records.values()})
        service = Entries(kind_of(record, neighbours=neighbours), **self._tools())
        is_ready = all(one.state == "ready" for one in record.indexes)
        self._kept[key] = ((record.version, is_ready, now[2]), service)
        return service
