"""Deciding about media."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any
from uuid import UUID

from cms_api.domains.cms.documents.access import may_look
from cms_api.domains.cms.documents.deleting import Deletions
from cms_api.domains.cms.documents.policy import READ
from cms_api.domains.cms.media.interface import MediaChanges, MediaService, MediaView
from cms_api.domains.cms.media.model import Asset
from cms_api.domains.cms.media.ports import MediaQueries, MediaRepository, Storage, Stored
from cms_api.domains.cms.resources import ResourceNotFound, given
from cms_api.kernel.actor import Actor
from cms_api.kernel.clock import Clock
from cms_api.kernel.errors import Conflict
from cms_api.kernel.ids import new_id
from cms_api.kernel.unit_of_work import UnitOfWork
from cms_api.querying import Page, PageRequest

UPLOAD = "media:upload"
EDIT = "media:edit"
PERMISSIONS = {UPLOAD: "Upload files.", EDIT: "Change and delete any file."}


def url_of(storage_key: str | None, source_url: str | None) -> str:
    """Where a file is served from."""
    return f"/media/{storage_key}" if storage_key is not None else source_url or ""


def view(asset: Asset) -> MediaView:
    """The file's record as others see it."""
    names = set(MediaView.__struct_fields__) - {"url"}
    return MediaView(
        url=url_of(asset.storage_key, asset.source_url), **{name: getattr(asset, name) for name in names}
    )


class Media(MediaService):
    """The service of media. ``limit`` is the size of the largest file in bytes."""

    def __init__(
        self, *, clock: Clock, queries: MediaQueries, storage: Storage, limit: int, deletions: Deletions
    ) -> None:
        self._clock = clock
        self._queries = queries
        self._deletions = deletions
        self._storage = storage
        self._limit = limit

    async def upload(
        self,
        uow: UnitOfWork,
        actor: Actor,
        *,
        filename: str,
        chunks: AsyncIterator[bytes],
        changes: MediaChanges,
    ) -> MediaView:
        actor.require(UPLOAD)
        asset_id = new_id()
        stored = await self._put(uow, asset_id, filename, chunks)
        now = self._clock.now()
        asset = Asset(
            id=asset_id,
            filename=filename,
            created_at=now,
            updated_at=now,
            created_by=actor.user_id,
            **_file(stored),
            **given(changes),
        )
        return await self._add(uow, actor, asset)

    async def register(
        self, uow: UnitOfWork, actor: Actor, *, filename: str, source_url: str, changes: MediaChanges
    ) -> MediaView:
        actor.require(UPLOAD)
        now = self._clock.now()
        asset = Asset(
            id=new_id(),
            filename=filename,
            source_url=source_url,
            created_at=now,
            updated_at=now,
            created_by=actor.user_id,
            **given(changes),
        )
        return await self._add(uow, actor, asset)

    async def _add(self, uow: UnitOfWork, actor: Actor, asset: Asset) -> MediaView:
        await uow.repository(MediaRepository).add(asset)
        uow.record(asset.created().by(actor))
        return view(asset)

    async def _put(
        self, uow: UnitOfWork, asset_id: UUID, filename: str, chunks: AsyncIterator[bytes]
    ) -> Stored:
        stored = await self._storage.put(asset_id, filename, chunks, limit=self._limit)
        uow.on_rollback(partial(self._storage.remove, stored.key))
        return stored

    async def get(self, actor: Actor, media_id: UUID) -> MediaView:
        actor.require(READ)
        if (asset := await self._queries.get(media_id)) is None:
            raise ResourceNotFound("file")
        return asset

    async def list(self, actor: Actor, page: PageRequest) -> Page[MediaView]:
        actor.require(READ)
        return await self._queries.list(page)

    async def update(
        self, uow: UnitOfWork, actor: Actor, media_id: UUID, changes: MediaChanges, *, expected: int | None
    ) -> MediaView:
        asset = await self._of(uow, actor, media_id)
        updated = asset.change(given(changes), expected=expected, at=self._clock.now())
        if updated is not None:
            await uow.repository(MediaRepository).save(asset)
            uow.record(updated.by(actor))
        return view(asset)

    async def attach(
        self, uow: UnitOfWork, actor: Actor, media_id: UUID, chunks: AsyncIterator[bytes]
    ) -> MediaView:
        actor.require(UPLOAD)
        if (known := await self._queries.get(media_id)) is None:
            raise ResourceNotFound("file")
        if known.size is not None:
            raise Conflict("The record has its file already.")
        # The file may take its time, so it comes in before there is a transaction; and under an id of
        # its own, as another one may be coming in for the same record.
        stored = await self._put(uow, new_id(), known.filename, chunks)
        asset = await self._of(uow, actor, media_id)
        if asset.storage_key is not None:
            raise Conflict("The record has its file already.")
        updated = asset.change(_file(stored), expected=None, at=self._clock.now())
        await uow.repository(MediaRepository).save(asset)
        if updated is not None:
            uow.record(updated.by(actor))
        return view(asset)

    async def delete(self, uow: UnitOfWork, actor: Actor, media_id: UUID, *, expected: int | None) -> None:
        may_look(actor)
        begun = await self._deletions.begin(uow, media_id, "delete")
        asset = await self._of(uow, actor, media_id)
        deleted = asset.deleted(expected=expected)
        await self._deletions.carry_out(uow, actor, media_id, "delete", begun)
        await uow.repository(MediaRepository).delete(asset)
        if asset.storage_key is not None:
            uow.on_commit(partial(self._storage.remove, asset.storage_key))
        uow.record(deleted.by(actor))

    async def _of(self, uow: UnitOfWork, actor: Actor, media_id: UUID) -> Asset:
        if not actor.is_system:
            actor.require(READ)
        if (asset := await uow.repository(MediaRepository).get(media_id)) is None:
            raise ResourceNotFound("file")
        if asset.created_by is None or asset.created_by != actor.user_id:
            actor.require(EDIT)
        return asset


def _file(stored: Stored) -> dict[str, Any]:
    return {
        "storage_key": stored.key,
        "media_type": stored.media_type,
        "size": stored.size,
        "sha256": stored.sha256,
        "width": stored.width,
        "height": stored.height,
    }
