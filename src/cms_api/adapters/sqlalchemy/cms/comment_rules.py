"""Where readers may comment, and how often."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.base import copied, json_text
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.domains.cms.reader_comments.ports import (
    CommentRules,
    PlaceQueries,
    PlaceRepository,
    RateRepository,
    RulesRepository,
)
from cms_api.domains.cms.reader_comments.rates import Rate, Taken
from cms_api.domains.cms.reader_comments.rules import DocumentSettings, Place, ReaderCommentRules

RULES = f"SELECT {', '.join(ReaderCommentRules.__struct_fields__)} FROM cms.comment_defaults"
LISTS = ("blocked_words", "blocked_addresses", "blocked_networks")
PLACE = """
SELECT d.type, p.first_published_at, d.id, s.is_open, s.closes_at, coalesce(s.version, 1), s.updated_at,
    s.updated_by
FROM cms.documents d
LEFT JOIN cms.publications p ON p.document_id = d.id
LEFT JOIN cms.comment_settings s ON s.document_id = d.id
"""
# The bucket is told by the moment at which it is full again (the generic cell rate algorithm of ATM
# Forum TM 4.1): each token puts that off by an interval, up to a window away. Rows are locked in the
# order of their keys; who comes second sees what the first has left.
TAKE = """
    INSERT INTO cms.comment_rates AS r (key, full_at, is_taken)
    SELECT key, CAST(:at AS timestamptz) + CAST(:interval AS interval), true
    FROM unnest(CAST(:keys AS bytea[])) key ORDER BY key
    ON CONFLICT (key) DO UPDATE SET
        is_taken = greatest(r.full_at, :at) + CAST(:interval AS interval) <= :at + CAST(:window AS interval),
        full_at = greatest(r.full_at, :at) + CASE
            WHEN greatest(r.full_at, :at) + CAST(:interval AS interval) <= :at + CAST(:window AS interval)
            THEN CAST(:interval AS interval) ELSE interval '0' END
    RETURNING is_taken, full_at
"""
PURGE = """
    DELETE FROM cms.comment_rates WHERE key = ANY(ARRAY(
        SELECT key FROM cms.comment_rates WHERE full_at <= :at ORDER BY full_at LIMIT :limit
        FOR UPDATE SKIP LOCKED))
    RETURNING key
"""


def _rules(row: Any) -> ReaderCommentRules:
    values = dict(zip(ReaderCommentRules.__struct_fields__, row, strict=True))
    return ReaderCommentRules(**{**values, **{name: tuple(values[name]) for name in LISTS}})


def _place(row: Any) -> Place:
    kind, published, *own = row
    names = ("document_id", "is_open", "closes_at", "version", "updated_at", "updated_by")
    settings = DocumentSettings(**dict(zip(names, own, strict=True)))
    return Place(type=kind, first_published_at=published, settings=settings)


class SqlAlchemyRates(RateRepository):
    """Buckets in ``cms.comment_rates``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def take(self, keys: Collection[bytes], rate: Rate, *, at: datetime) -> list[Taken]:
        found = await self._session.execute(
            text(TAKE),
            {"keys": sorted(set(keys)), "at": at, "interval": rate.interval, "window": rate.window},
        )
        return [Taken(*row) for row in found]

    async def purge(self, *, at: datetime, limit: int) -> int:
        gone = await self._session.execute(text(PURGE), {"at": at, "limit": limit})
        return len(gone.all())


class SqlAlchemyRules(RulesRepository):
    """The only row of ``cms.comment_defaults``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self) -> ReaderCommentRules:
        found = await self._session.execute(text(f"{RULES} FOR UPDATE"))
        return _rules(found.one())

    async def save(self, rules: ReaderCommentRules) -> None:
        pairs = [f"{name} = :{name}" for name in ReaderCommentRules.__struct_fields__ if name != "types"]
        values = copied(rules, ReaderCommentRules.__struct_fields__)
        values |= {name: list(values[name]) for name in LISTS}
        values["types"] = json_text(rules.types)
        await self._session.execute(
            text(f"UPDATE cms.comment_defaults SET {', '.join(pairs)}, types = CAST(:types AS jsonb)"), values
        )


class SqlRules(CommentRules):
    """The only row of ``cms.comment_defaults``."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def get(self) -> ReaderCommentRules:
        if (row := await self._reader.one(RULES)) is None:
            raise LookupError("The table cms.comment_defaults has lost its row.")
        return _rules(row)


class SqlAlchemyPlaces(PlaceRepository):
    """Documents with their rows of ``cms.comment_settings``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, kind: str, document_id: UUID) -> Place | None:
        found = await self._session.execute(
            text(f"{PLACE} WHERE d.id = :id AND d.type = :type"), {"id": document_id, "type": kind}
        )
        row = found.one_or_none()
        return None if row is None else _place(row)

    async def save(self, settings: DocumentSettings) -> None:
        await self._session.execute(
            text(
                """
                INSERT INTO cms.comment_settings
                    (document_id, is_open, closes_at, version, updated_at, updated_by)
                VALUES (:document_id, :is_open, :closes_at, :version, :updated_at, :updated_by)
                ON CONFLICT (document_id) DO UPDATE SET is_open = excluded.is_open,
                    closes_at = excluded.closes_at, version = excluded.version,
                    updated_at = excluded.updated_at, updated_by = excluded.updated_by
                """
            ),
            copied(settings, DocumentSettings.__struct_fields__),
        )


class SqlPlaces(PlaceQueries):
    """Documents with their rows of ``cms.comment_settings``."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def get(self, kind: str, document_id: UUID) -> Place | None:
        row = await self._reader.one(
            PLACE + "WHERE d.id = %(id)s AND d.type = %(type)s", {"id": document_id, "type": kind}
        )
        return None if row is None else _place(row)
