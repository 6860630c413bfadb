"""The log of changes, ``cms.changes``."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from contextvars import Context
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.cms.delivery import shown
from cms_api.adapters.sqlalchemy.cms.urls import IS_PUBLIC_FILE
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.domains.cms.site.events import SITE_ID
from cms_api.domains.cms.sync.interface import FIRST, LAST, ChangeSignal, Position, SyncFilter, SyncKind
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

_WANTED = """'document' = ANY(%(kinds)s::text[])
        AND (%(types)s::text[] IS NULL OR {0}.type = ANY(%(types)s::text[]))
        AND (%(locale)s::text IS NULL OR {0}.locale = %(locale)s::text)"""
_START = "CAST(%(start)s AS text)::xid8"
# What the walk tells of by itself, and a change further on in it than the one that is looked at.
_IN_WALK = f"o.xact >= {_START} AND o.xact < b.upto"
_LATER = "(o.xact, o.number) > (c.xact, c.number) AND o.xact < b.upto"


class Shows(NamedTuple):
    """What shows something else, and so comes again where that changes.

    ``when`` says by the kinds of changes ``c`` which of the table ``source`` they change, ``later`` where in
    the log changes ``o`` are that do so, too: each resource comes once, by the last of them.
    """

    source: str
    id: str
    when: tuple[tuple[str, str], ...]
    later: tuple[str, ...]
    type: str = "NULL::text"
    wanted: str = "true"


_RELATIONS = "('authors', 'categories', 'tags')"
_LINKED = """p.document_id IN (
                SELECT l.document_id FROM cms.links l WHERE l.target_id = c.id AND l.is_live AND l.is_public"""
_SETTINGS_CHANGED = f"FROM cms.changes o WHERE o.id = '{SITE_ID}' AND o.resource = 'settings'"
# A redirect to a path leads where the automatic one ``a`` from there leads.
_LED_ON = """SELECT a.document_id FROM cms.redirects a
            WHERE a.locale = r.locale AND a.match = 'exact' AND a.source = r.target AND a.is_automatic"""
# A comment is shown below approved ones only, so those above it are in its path.
_BELOW = """d.state = 'approved' AND (d.document_id, d.id) IN (
            SELECT e.document_id, e.id FROM cms.reader_comments u JOIN cms.reader_comments e
                ON e.document_id = u.document_id AND e.state = 'approved' AND e.path > u.path
                AND e.path < u.path || %(last)s::uuid
            WHERE u.id = c.id)"""
SHOWS: dict[SyncKind, Shows] = {
    # A type changes its entries, the site's settings what search engines are told of everything. A file is shown
    # by what points at it. An address is in the texts that mention it, in the entries that point there, and
    # told to the translations.
    "document": Shows(
        source="cms.publications p",
        id="p.document_id",
        type="p.type",
        when=(
            ("('content-type')", "p.type = (SELECT t.key FROM cms.content_types t WHERE t.id = c.id)"),
            ("('settings')", "true"),
            ("('media')", f"{_LINKED} AND l.target_kind = 'media')"),
            (
                "('author', 'category', 'tag')",
                f"{_LINKED} AND l.target_kind = c.resource AND l.field NOT IN {_RELATIONS})",
            ),
            ("('address')", f"{_LINKED} AND l.target_kind = 'document')"),
            ("('address')", "(p.translation_group = c.id OR p.document_id = c.id)"),
        ),
        later=(
            f"""FROM cms.links l JOIN cms.changes o ON o.id = l.target_id AND (
                o.resource = CASE l.target_kind WHEN 'document' THEN 'address' ELSE l.target_kind END)
            WHERE l.document_id = p.document_id AND l.is_live AND l.is_public AND l.field NOT IN {_RELATIONS}""",
            "FROM cms.changes o WHERE o.resource = 'address' AND o.id IN (p.document_id, p.translation_group)",
            """FROM cms.content_types t JOIN cms.changes o ON o.id = t.id AND o.resource = 'content-type'
            WHERE t.key = p.type""",
            _SETTINGS_CHANGED,
        ),
        wanted=_WANTED.format("p"),
    ),
    # Items show what their targets are called and where those are, or nothing.
    "menu": Shows(
        source="cms.menus m",
        id="m.id",
        when=(
            ("('document')", "m.id IN (SELECT i.menu_id FROM cms.menu_items i WHERE i.document_id = c.id)"),
            (
                "('category', 'tag')",
                "m.id IN (SELECT i.menu_id FROM cms.menu_items i WHERE i.term_id = c.id)",
            ),
        ),
        later=(
            """FROM cms.menu_items i JOIN cms.changes o ON o.id = i.document_id AND o.resource = 'document'
            WHERE i.menu_id = m.id""",
            """FROM cms.menu_items i JOIN cms.changes o ON o.id = i.term_id AND o.resource IN ('category', 'tag')
            WHERE i.menu_id = m.id""",
        ),
    ),
    "redirect": Shows(
        source="cms.redirects r",
        id="r.id",
        when=(
            ("('address')", "r.document_id = c.id"),
            (
                "('address')",
                """(r.locale, r.target) IN (
            SELECT a.locale, a.source FROM cms.redirects a
            WHERE a.document_id = c.id AND a.match = 'exact' AND a.is_automatic)""",
            ),
            ("('path')", "r.target IS NOT NULL AND cms.path_id(r.locale, r.target) = c.id"),
        ),
        later=(
            "FROM cms.changes o WHERE o.id = r.document_id AND o.resource = 'address'",
            f"FROM cms.changes o WHERE o.id = ({_LED_ON}) AND o.resource = 'address'",
            "FROM cms.changes o WHERE o.id = cms.path_id(r.locale, r.target) AND o.resource = 'path'",
        ),
    ),
    "settings": Shows(
        source="cms.site_settings s",
        id=f"'{SITE_ID}'::uuid",
        when=(
            ("('address')", "c.id IN (s.home_page_id, s.posts_page_id)"),
            ("('media')", "c.id IN (s.logo_id, s.icon_id, s.image_id)"),
        ),
        later=(
            """FROM cms.changes o WHERE o.id IN (s.home_page_id, s.posts_page_id) AND o.resource = 'address'""",
            """FROM cms.changes o WHERE o.id IN (s.logo_id, s.icon_id, s.image_id) AND o.resource = 'media'""",
        ),
    ),
    # Comments are there as long as their document is live, and all above them are approved.
    "comment": Shows(
        source="cms.reader_comments d",
        id="d.id",
        when=(
            ("('address')", "d.document_id = c.id AND d.state = 'approved'"),
            ("('comment')", _BELOW),
        ),
        later=(
            "FROM cms.changes o WHERE o.id = d.document_id AND o.resource = 'address'",
            "FROM unnest(d.path) up(id) JOIN cms.changes o ON o.id = up.id AND o.resource = 'comment' WHERE true",
        ),
    ),
}


def _spread(kind: str, shows: Shows, changed: str, those: str) -> str:
    """What a change of one of the kinds ``changed`` changes besides: what comes behind the position, in its order."""
    told = [f"FROM cms.changes o WHERE o.id = {shows.id} AND o.resource = '{kind}' AND {_IN_WALK}"]
    told += [f"{later} AND {_LATER}" for later in shows.later]
    told_anyway = "\n        OR ".join(f"EXISTS (SELECT {one})" for one in told)
    return f"""
        SELECT * FROM (
            SELECT {shows.id} AS inner_id, '{kind}', {shows.type}, NULL::text, {shows.id} FROM {shows.source}
            WHERE c.resource IN {changed} AND {those} AND {shows.wanted}
              AND {shows.id} > CASE (c.xact, c.number) = {POSITION}
                WHEN true THEN %(inner)s::uuid ELSE %(first)s::uuid END
              AND NOT ({told_anyway})
            ORDER BY inner_id LIMIT %(limit)s) spread"""


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


# In a walk through everything each resource comes by itself: that statement is planned in a fraction of the time.
EVERYTHING = _walk("")


@cache
def changed(kinds: frozenset[SyncKind]) -> str:
    """The statement of a walk from a token: planning it takes longer the more kinds it looks for."""
    spreads = (
        f" UNION{_spread(kind, shows, *when)}"
        for kind, shows in SHOWS.items()
        if kind in kinds
        for when in shows.when
    )
    return _walk("".join(spreads))


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

# The last final change, and whether others are yet to become final; the first one behind the transaction `seen`, and
# what may have been removed before it. Unqualified, the order would be that of the texts.
NEWS = f"""
SELECT (SELECT c.xact::text FROM cms.changes c WHERE c.xact < {HORIZON} ORDER BY c.xact DESC LIMIT 1),
    EXISTS (SELECT FROM cms.changes WHERE xact >= {HORIZON}),
    (SELECT c.xact::text FROM cms.changes c WHERE c.xact > CAST(%(seen)s AS text)::xid8 AND c.xact < {HORIZON}
        ORDER BY c.xact LIMIT 1),
    (SELECT pruned::text FROM cms.change_epoch)
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
            "last": LAST,
            "kinds": list(wanted.kinds),
            "types": None if wanted.types is None else list(wanted.types),
            "locale": wanted.locale,
        }
        rows = await self._reader.rows(changed(frozenset(wanted.kinds)) if at.start else EVERYTHING, params)
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


def _led(at: Position, last: int, first: int) -> Position:
    """Where a walk from ``at`` begins: at the change ``first`` where there was none since ``last``."""
    return Position(at.epoch, start=first, xact=first) if last < at.start < first else at


class SqlChangeSignal(ChangeSignal):
    """One look at the log for all who wait, when the database tells of a change or after a while."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._woken = asyncio.Event()
        self._last = 0
        self._waiting: dict[asyncio.Future[Position], Position] = {}
        self._looking: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Look at once: something has changed."""
        self._woken.set()

    async def beyond(self, at: Position, *, patience: float) -> Position | None:
        if self._last >= at.start:
            return at
        news: asyncio.Future[Position] = asyncio.get_running_loop().create_future()
        self._waiting[news] = at
        if self._looking is None or self._looking.done():
            # In a context of its own: it is nobody's request.
            self._looking = asyncio.create_task(self._look(), context=Context())
        try:
            async with asyncio.timeout(patience):
                return await news
        except TimeoutError:
            return None
        finally:
            del self._waiting[news]
            if not self._waiting:
                self._woken.set()

    async def _look(self) -> None:
        """Look again and again, for as long as anybody waits."""
        try:
            while self._waiting:
                self._woken.clear()
                row = await self._reader.one(NEWS, {"seen": str(self._last)})
                last, is_pending, first, pruned = row or (None, False, None, None)
                before, self._last = max(self._last, int(pruned or 0)), int(last or 0)
                for news, at in self._waiting.items():
                    if self._last >= at.start and not news.done():
                        news.set_result(_led(at, before, int(first or 0)))
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), PENDING_POLL if is_pending else POLL)
        except BaseException as error:
            for news in self._waiting:
                if not news.done():
                    news.set_exception(error) if isinstance(error, Exception) else news.cancel()
            if not isinstance(error, Exception):
                raise
