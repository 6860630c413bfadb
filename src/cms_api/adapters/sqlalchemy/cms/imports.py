"""What has been imported before."""

from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.domains.cms.imports.ports import Imported, ImportSources


class SqlAlchemyImportSources(ImportSources):
    """The table ``cms.import_sources``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find(self, source: str, kind: str, keys: Collection[str]) -> dict[str, Imported]:
        rows = await self._session.execute(
            text(
                """
                SELECT key, target_id, hash, target_version FROM cms.import_sources
                WHERE source = :source AND kind = :kind AND key = ANY(:keys)
                """
            ),
            {"source": source, "kind": kind, "keys": list(keys)},
        )
        return {key: Imported(target, bytes(digest), version) for key, target, digest, version in rows}

    async def put(self, source: str, kind: str, key: str, imported: Imported) -> None:
        await self._session.execute(
            text(
                """
                INSERT INTO cms.import_sources (source, kind, key, target_id, hash, target_version, imported_at)
                VALUES (:source, :kind, :key, :target_id, :hash, :version, now())
                ON CONFLICT (source, kind, key) DO UPDATE SET target_id = excluded.target_id,
                    hash = excluded.hash, target_version = excluded.target_version, imported_at = now()
                """
            ),
            {
                "source": source,
                "kind": kind,
                "key": key,
                "target_id": imported.target_id,
                "hash": imported.hash,
                "version": imported.version,
            },
        )
