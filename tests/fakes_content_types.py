"""The ports of content types, kept in memory."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import msgspec
from tests.fakes_cms import page_of

from cms_api.domains.cms.content_types.errors import TypeTaken
from cms_api.domains.cms.content_types.interface import Change, FieldIndex, TypeRevision
from cms_api.domains.cms.content_types.ports import (
    ContentTypeQueries,
    ContentTypeRepository,
    IndexSpec,
    TypeRecord,
)
from cms_api.querying import Page, PageRequest


class TypeStore:
    """Types by their keys, and what each of them was."""

    def __init__(self) -> None:
        self.types: dict[str, TypeRecord] = {}
        self.revisions: list[tuple[UUID, TypeRevision]] = []
        self.specs: dict[str, list[IndexSpec]] = {}


class FakeContentTypes(ContentTypeRepository):
    def __init__(self, store: TypeStore) -> None:
        self._store = store

    async def get(self, key: str) -> TypeRecord | None:
        return self._store.types.get(key)

    async def hold(self, key: str) -> int | None:
        record = self._store.types.get(key)
        return None if record is None else record.version

    async def known(self, keys: Collection[str]) -> frozenset[str]:
        return frozenset(keys) & self._store.types.keys()

    async def add(self, record: TypeRecord) -> None:
        if record.key in self._store.types:
            raise TypeTaken(record.key)
        self._store.types[record.key] = record

    async def save(self, record: TypeRecord) -> None:
        indexes = self._store.types[record.key].indexes
        self._store.types[record.key] = msgspec.structs.replace(record, indexes=indexes)

    async def add_revision(self, record: TypeRecord, changes: Collection[Change]) -> None:
        made = TypeRevision(
            version=record.version,
            definition=record.definition,
            changes=tuple(changes),
            created_at=record.updated_at,
            created_by=record.updated_by,
        )
        self._store.revisions.append((record.id, made))

    async def set_indexes(self, key: str, specs: Collection[IndexSpec]) -> bool:
        wanted = sorted(specs, key=lambda one: (one.field_id, one.kind))
        if wanted == self._store.specs.get(key, []):
            return False
        self._store.specs[key] = wanted
        indexes = tuple(
            FieldIndex(field=one.field_id, kind=one.kind, state="pending", detail=None) for one in wanted
        )
        self._store.types[key] = msgspec.structs.replace(self._store.types[key], indexes=indexes)
        return True

    async def delete(self, key: str) -> None:
        del self._store.types[key]

    async def usage(self, key: str) -> tuple[int, tuple[str, ...]]:
        named = (one for one in self._store.types.values() if one.key != key)
        return 0, tuple(sorted(one.key for one in named if key in one.definition.points_at()))


class FakeContentTypeQueries(ContentTypeQueries):
    def __init__(self, store: TypeStore) -> None:
        self._store = store

    async def get(self, key: str) -> TypeRecord | None:
        return self._store.types.get(key)

    async def versions(self, keys: Collection[str]) -> dict[str, tuple[int, bool, str]]:
        fingerprint, found = await self.fingerprint(), [self._store.types.get(key) for key in keys]
        return {
            one.key: (one.version, all(index.state == "ready" for index in one.indexes), fingerprint)
            for one in found
            if one is not None
        }

    async def list(self, page: PageRequest) -> Page[TypeRecord]:
        return page_of(list(self._store.types.values()), page, getattr, lambda row: row)

    async def all(self) -> Sequence[TypeRecord]:
        return [self._store.types[key] for key in sorted(self._store.types)]

    async def fingerprint(self) -> str:
        return ",".join(f"{one.key} {one.id} {one.version}" for one in await self.all())

    async def revisions(self, type_id: UUID, page: PageRequest) -> Page[TypeRevision]:
        found = [one for of, one in self._store.revisions if of == type_id]
        return page_of(found, page, _of_revision, lambda row: row)


def _of_revision(revision: TypeRevision, name: str) -> Any:
    return getattr(revision, "version" if name == "id" else name)
