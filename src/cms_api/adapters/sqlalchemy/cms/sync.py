"""The log of changes, ``cms.changes``."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from contextvars import Context
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.cms.delivery import shown
from cms_api.adapters.sqlalchemy.cms.urls import IS_PUBLIC_FILE
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.domains.cms.site.events import SITE_ID
from cms_api.domains.cms.sync.interface import FIRST, LAST, ChangeSignal, Position, SyncFilter
from cms_api.domains.cms.sync.ports import (
    ChangeQueries,
    ChangeRepository,
    Horizon,
    Listened,
    Place,
    Told,
    Touched,
    Walked,
)
from cms_api.querying import Selection

# How many changes one statement looks at, so that a page costs the same where filters leave little.
WINDOW = 2_000
# In seconds: between looks without a word from the database, and while something is not yet final.
POLL = 5.0
PENDING_POLL = 0.2

HORIZON = "pg_snapshot_xmin(pg_current_snapshot())"
# What the epoch is made of is nobody's business outside.
EPOCH = f"""
    SELECT left(md5(e.id || cms.change_lineage()), 16) AS epoch, {HORIZON} AS horizon, e.pruned,
        coalesce(CAST(%(upto)s AS text)::xid8, {HORIZON}) AS upto
    FROM cms.change_epoch e"""
POSITION = "(CAST(%(xact)s AS text)::xid8, %(number)s::bigint)"

# What else of the log changes documents that are live, and which of them: conditions on `p`, by the kinds of changes.
# A type changes its entries, the site's settings what search engines are told of everything. A file is shown
# by what points at it. An address is in the texts that mention it, in the entries that point there, and
# told to the translations.
_RELATIONS = "('authors', 'categories', 'tags')"
_LINKED = "p.document_id IN (SELECT l.document_id FROM cms.links l WHERE l.target_id = c.id AND l.is_live"
SPREADS = {
    "('content-type')": "p.type = (SELECT t.key FROM cms.content_types t WHERE t.id = c.id)",
    "('settings')": "true",
    "('media')": f"{_LINKED} AND l.target_kind = 'media')",
    "('author', 'category', 'tag')": f"{_LINKED} AND l.target_kind = c.resource AND l.field NOT IN {_RELATIONS})",
    "('address')": f"{_LINKED} AND l.target_kind = 'document')",
    "('address') ": "(p.translation_group = c.id OR p.document_id = c.id)",
}
_WANTED = """'document' = ANY(%(kinds)s::text[])
        AND (%(types)s::text[] IS NULL OR {0}.type = ANY(%(types)s::text[]))
        AND (%(locale)s::text IS NULL OR {0}.locale = %(locale)s::text)"""
_START = "CAST(%(start)s AS text)::xid8"
# Whether the walk tells of the document anyway: by a change of its own, or a later one of what it shows.
_TOLD_ANYWAY = f"""EXISTS (
            SELECT FROM cms.changes o WHERE o.id = p.document_id AND o.resource = 'document'
              AND o.xact >= {_START} AND o.xact < b.upto)
        OR EXISTS (
            SELECT FROM cms.links l JOIN cms.changes o ON o.id = l.target_id AND (
                o.resource = CASE l.target_kind WHEN 'document' THEN 'address' ELSE l.target_kind END)
            WHERE l.document_id = p.document_id AND l.is_live AND l.field NOT IN {_RELATIONS}
              AND (o.xact, o.number) > (c.xact, c.number) AND o.xact < b.upto)
        OR EXISTS (
            SELECT FROM cms.changes o WHERE o.resource = 'address' AND o.id IN (p.document_id, p.translation_group)
              AND (o.xact, o.number) > (c.xact, c.number) AND o.xact < b.upto)
        OR EXISTS (
            SELECT FROM cms.content_types t JOIN cms.changes o ON o.id = t.id AND o.resource = 'content-type'
            WHERE t.key = p.type AND (o.xact, o.number) > (c.xact, c.number) AND o.xact < b.upto)
        OR EXISTS (
            SELECT FROM cms.changes o WHERE o.id = '{SITE_ID}' AND o.resource = 'settings'
              AND (o.xact, o.number) > (c.xact, c.number) AND o.xact < b.upto)"""


def _spread(kinds: str, those: str) -> str:
    """The documents that a change of one of ``kinds`` changes: those that come behind the position, in their order."""
    return f"""
        SELECT * FROM (
            SELECT p.document_id, 'document', p.type, p.locale, p.document_id FROM cms.publications p
            WHERE c.resource IN {kinds} AND {those} AND {_WANTED.format("p")}
              AND p.document_id > CASE (c.xact, c.number) = {POSITION}
                WHEN true THEN %(inner)s::uuid ELSE %(first)s::uuid END
              AND NOT ({_TOLD_ANYWAY})
            ORDER BY p.document_id LIMIT %(limit)s) spread"""


def _walk(spreads: str) -> str:
    return f"""
WITH bounds AS MATERIALIZED ({EPOCH})
SELECT b.epoch, b.horizon::text, b.pruned::text, w.xact::text, w.number,
    i.xact::text, i.number, i.inner_id, i.kind, i.type, i.id
FROM bounds b
LEFT JOIN LATERAL (
    SELECT c.xact, c.number FROM cms.changes c
    WHERE (c.xact, c.number) >= {POSITION} AND c.xact < b.upto
    ORDER BY c.xact, c.number OFFSET {WINDOW - 1} LIMIT 1) w ON true
LEFT JOIN LATERAL (
    SELECT c.xact, c.number, d.inner_id, d.kind, d.type, d.id
    FROM cms.changes c
    CROSS JOIN LATERAL (
        SELECT %(first)s::uuid AS inner_id, c.resource AS kind, c.type, c.locale, c.id
        WHERE c.resource = ANY(%(kinds)s::text[]) AND (c.resource <> 'document' OR ({_WANTED.format("c")}))
        {spreads}) d
    WHERE (c.xact, c.number) >= {POSITION} AND c.xact < b.upto
      AND (w.xact IS NULL OR (c.xact, c.number) <= (w.xact, w.number))
      AND (c.xact, c.number, d.inner_id) > (CAST(%(xact)s AS text)::xid8, %(number)s::bigint, %(inner)s::uuid)
      AND NOT EXISTS (
        SELECT FROM cms.changes n WHERE n.id = c.id AND n.resource = c.resource AND n.xact < b.upto
          AND (n.xact, n.number) > (c.xact, c.number))
    ORDER BY c.xact, c.number, d.inner_id LIMIT %(limit)s) i ON true
"""


# In a walk through everything each document comes by itself: that statement is planned in a fraction of the time.
EVERYTHING = _walk("")
CHANGED = _walk("".join(f" UNION{_spread(*spread)}" for spread in SPREADS.items()))

TOLD = f"""
WITH bounds AS MATERIALIZED ({EPOCH})
SELECT b.epoch, b.horizon::text, b.pruned::text, i.xact::text, i.number, i.tags, i.changed_at
FROM bounds b
LEFT JOIN LATERAL (
    SELECT c.xact, c.number, cms.change_keys(c.resource, c.id, c.type) AS tags, c.changed_at
    FROM cms.changes c
    WHERE (c.xact, c.number) > {POSITION} AND c.xact < b.upto
    ORDER BY c.xact, c.number LIMIT %(limit)s) i ON true
"""

FILES = f"""
SELECT m.id, {shown("media", "m", Selection())}::text FROM cms.media m
WHERE m.id = ANY(%(ids)s) AND {IS_PUBLIC_FILE}
"""

# The last final change, and whether others are yet to become final.
NEWS = f"""
SELECT (SELECT xact::text FROM cms.changes WHERE xact < {HORIZON} ORDER BY xact DESC LIMIT 1),
    EXISTS (SELECT FROM cms.changes WHERE xact >= {HORIZON})
"""


def _params(at: Position, limit: int) -> dict[str, object]:
    return {
        "start": str(at.start),
        "upto": None if at.upto is None else str(at.upto),
        "xact": str(at.xact),
        "number": at.number,
        "inner": at.inner,
        "limit": limit,
    }


def _horizon(row: tuple[Any, ...]) -> Horizon:
    return Horizon(epoch=row[0], xact=int(row[1]), pruned=int(row[2]))


class SqlChanges(ChangeQueries):
    """Reads of the log. Transactions are sent as texts: they have more bits than PostgreSQL's integers."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def walk(self, at: Position, wanted: SyncFilter, *, limit: int) -> Walked:
        params = _params(at, limit) | {
            "first": FIRST,
            "kinds": list(wanted.kinds),
            "types": None if wanted.types is None else list(wanted.types),
            "locale": wanted.locale,
        }
        rows = await self._reader.rows(CHANGED if at.start else EVERYTHING, params)
        found = [
            Touched(
                kind=kind,
                type=key,
                id=resource,
                place=Place(int(xact), number, inner),
            )
            for *_, xact, number, inner, kind, key, resource in rows
            if xact is not None
        ]
        xact, number = rows[0][3:5]
        end = None if xact is None else Place(int(xact), number, LAST)
        return Walked(horizon=_horizon(rows[0]), found=found, looked_up_to=end)

    async def told(self, at: Position, *, limit: int) -> Listened:
        rows = await self._reader.rows(TOLD, _params(at, limit))
        found = [
            Told(tags=tuple(tags), changed_at=changed_at, place=Place(int(xact), number, LAST))
            for *_, xact, number, tags, changed_at in rows
            if xact is not None
        ]
        return Listened(horizon=_horizon(rows[0]), found=found)

    async def horizon(self) -> Horizon:
        return _horizon((await self._reader.rows(EPOCH, {"upto": None}))[0])

    async def files(self, ids: Collection[UUID]) -> dict[UUID, str]:
        return dict(await self._reader.rows(FILES, {"ids": list(ids)}))


class SqlAlchemyChanges(ChangeRepository):
    """The log, for removing what is in it too often or too long."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def renew(self) -> bool:
        return bool(await self._session.scalar(text("SELECT cms.renew_epoch()")))

    async def compact(
        self, *, after: int, limit: int, superseded_before: datetime, deleted_before: datetime
    ) -> tuple[int | None, int]:
        found = await self._session.execute(
            text(
                f"""
                WITH looked AS MATERIALIZED (
                    SELECT * FROM cms.changes WHERE number > :after ORDER BY number LIMIT :limit),
                removable AS MATERIALIZED (
                    SELECT c.number, c.xact, true AS is_superseded FROM looked c
                    WHERE EXISTS (
                        SELECT FROM cms.changes n WHERE n.id = c.id AND n.resource = c.resource
                          AND (n.xact, n.number) > (c.xact, c.number) AND n.xact < {HORIZON}
                          AND n.changed_at < :superseded_before)
                    UNION ALL
                    SELECT c.number, c.xact, false FROM looked c
                    WHERE c.is_deleted AND c.changed_at < :deleted_before AND c.xact < {HORIZON}
                      AND NOT EXISTS (
                        SELECT FROM cms.changes n WHERE n.id = c.id AND n.resource = c.resource
                          AND n.number <> c.number)),
                removed AS (
                    DELETE FROM cms.changes c USING removable r WHERE c.number = r.number RETURNING c.number),
                noted AS (
                    UPDATE cms.change_epoch e SET pruned = p.xact
                    FROM (SELECT xact FROM removable WHERE NOT is_superseded ORDER BY xact DESC LIMIT 1) p
                    WHERE p.xact > e.pruned)
                SELECT (SELECT max(number) FROM looked), (SELECT count(*) FROM removed)
                """
            ),
            {
                "after": after,
                "limit": limit,
                "superseded_before": superseded_before,
                "deleted_before": deleted_before,
            },
        )
        last, removed = found.one()
        return last, removed


class SqlChangeSignal(ChangeSignal):
    """One look at the log for all who wait, when the database tells of a change or after a while."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._woken = asyncio.Event()
        self._last = 0
        self._waiting: dict[asyncio.Future[bool], int] = {}
        self._looking: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Look at once: something has changed."""
        self._woken.set()

    async def beyond(self, xact: int, *, patience: float) -> bool:
        if self._last >= xact:
            return True
        news: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting[news] = xact
        if self._looking is None or self._looking.done():
            # In a context of its own: it is nobody's request.
            self._looking = asyncio.create_task(self._look(), context=Context())
        try:
            async with asyncio.timeout(patience):
                return await news
        except TimeoutError:
            return False
        finally:
            del self._waiting[news]
            if not self._waiting:
                self._woken.set()

    async def _look(self) -> None:
        """Look again and again, for as long as anybody waits."""
        try:
            while self._waiting:
                self._woken.clear()
                row = await self._reader.one(NEWS)
                last, is_pending = row or (None, False)
                self._last = int(last or 0)
                for news, xact in self._waiting.items():
                    if self._last >= xact and not news.done():
                        news.set_result(True)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), PENDING_POLL if is_pending else POLL)
        except BaseException as error:
            for news in self._waiting:
                if not news.done():
                    news.set_exception(error) if isinstance(error, Exception) else news.cancel()
            if not isinstance(error, Exception):
                raise
