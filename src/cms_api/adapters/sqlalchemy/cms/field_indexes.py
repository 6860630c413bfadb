"""The indexes of fields, built concurrently."""

import asyncio
import hashlib
from typing import Any, NamedTuple

import psycopg
from psycopg import AsyncConnection, sql

from cms_api.domains.cms.content_types.definition import Definition
from cms_api.domains.cms.content_types.errors import ValueTaken
from cms_api.domains.cms.content_types.ports import FieldIndexes
from cms_api.kernel.errors import CmsError

BETWEEN_TRIES = 0.2  # seconds


class Wanted(NamedTuple):
    """An index that is to be there: its name, and what makes it."""

    name: str
    statement: sql.Composed


def value_of(shape: str, fields: str, field_id: str) -> str:
    """A field's value as it is sorted; null where it is none of that kind, so that no cast ever fails."""
    held = f"{fields}->'{field_id}'"
    match shape:
        case "number":
            return f"(CASE WHEN jsonb_typeof({held}) = 'number' THEN ({fields}->>'{field_id}')::numeric END)"
        case "boolean":
            return f"(CASE WHEN jsonb_typeof({held}) = 'boolean' THEN ({fields}->>'{field_id}')::boolean END)"
        case _:
            return f"({fields}->>'{field_id}')"


def index_name(key: str, field_id: str, kind: str, spec: str) -> str:
    """The name of an index. Types may have fields with the same ids: one may have begun as a copy of another."""
    of_type = hashlib.blake2b(key.encode(), digest_size=4).hexdigest()
    return f"{'uq' if kind == 'unique' else 'ix'}_field_{field_id}_{of_type}{f'_{spec}' if spec else ''}"


def unique_errors(definition: Definition) -> dict[str, CmsError]:
    """What the indexes of a type's unique fields say, by their names."""
    return {
        index_name(definition.key, str(field.id), "unique", "l" if field.localised else ""): ValueTaken(
            field.key
        )
        for field in definition.fields
        if field.unique
    }


def wanted(key: str, field_id: str, kind: str, spec: str) -> list[Wanted]:
    """The indexes for one field. The ids are our own letters and digits, the key is a literal."""
    shape, _, localised = spec.partition("_")
    name, of_type = sql.Identifier, sql.Literal(key)
    if kind == "unique":
        # Translations share what is not localised: one of them stands for all.
        columns = "locale, " if localised else ""
        scope = "" if localised else " AND translation_of IS NULL"
        title = index_name(key, field_id, kind, "l" if localised else "")
        make = (
            f"CREATE UNIQUE INDEX CONCURRENTLY {{}} ON cms.documents ({columns}md5(fields->>'{field_id}'))"
            f" WHERE type = {{}} AND trashed_at IS NULL{scope}"
        )
        return [Wanted(title, _composed(make, name(title), of_type))]
    found = []
    for table, face in (("documents", "draft"), ("publications", "live")):
        title = index_name(key, field_id, kind, f"{shape}_{face}")
        column = value_of(shape, "fields", field_id)
        make = f"CREATE INDEX CONCURRENTLY {{}} ON cms.{table} ({column}) WHERE type = {{}}"
        found.append(Wanted(title, _composed(make, name(title), of_type)))
    return found


def _composed(template: str, *parts: sql.Composable) -> sql.Composed:
    return sql.SQL(template).format(*parts)


class PostgresFieldIndexes(FieldIndexes):
    """Builds on a connection of its own, and one index at a time in the whole database.

    An index that is built concurrently waits for every snapshot that is older: no transaction may wait
    for it, and nobody may wait for the lock in a statement, which holds a snapshot, too.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    async def settle(self, key: str) -> None:
        async with await AsyncConnection.connect(self._url, autocommit=True) as connection:
            await connection.execute("SET statement_timeout = 0")
            while not await _locked(connection):  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(BETWEEN_TRIES)
            await self._settle(connection, key)

    async def _settle(self, connection: AsyncConnection[Any], key: str) -> None:
        rows = await connection.execute(
            "SELECT field_id, kind, spec FROM cms.field_indexes WHERE type_key = %s", (key,)
        )
        specs = await rows.fetchall()
        there = await self._there(connection, key)
        names: set[str] = set()
        for field_id, kind, spec in specs:
            failure = None
            for one in wanted(key, field_id, kind, spec):
                names.add(one.name)
                if there.get(one.name):
                    continue
                failure = await self._build(connection, one, is_broken=one.name in there) or failure
            await connection.execute(
                """
                UPDATE cms.field_indexes SET state = %s, detail = %s
                WHERE type_key = %s AND field_id = %s AND kind = %s AND spec = %s
                """,
                ("failed" if failure else "ready", failure, key, field_id, kind, spec),
            )
        for gone in there.keys() - names:
            await connection.execute(_dropped(gone))

    async def _there(self, connection: AsyncConnection[Any], key: str) -> dict[str, bool]:
        """The indexes that the type's fields have, and whether they are whole."""
        found = await connection.execute(
            r"""
            SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            WHERE i.indrelid IN ('cms.documents'::regclass, 'cms.publications'::regclass)
              AND c.relname ~ '^(uq|ix)_field_'
              AND strpos(pg_get_expr(i.indpred, i.indrelid), 'type = ' || quote_literal(%s) || '::text') > 0
            """,
            (key,),
        )
        return dict(await found.fetchall())

    async def _build(self, connection: AsyncConnection[Any], one: Wanted, *, is_broken: bool) -> str | None:
        """Build an index; what went wrong, if something did."""
        if is_broken:  # what an attempt that was cut off has left
            await connection.execute(_dropped(one.name))
        try:
            await connection.execute(one.statement)
        except psycopg.errors.UniqueViolation:
            await connection.execute(_dropped(one.name))
            return "Some documents share a value."
        except psycopg.errors.DatabaseError:
            await connection.execute(_dropped(one.name))
            return "The index could not be built."
        return None


async def _locked(connection: AsyncConnection[Any]) -> bool:
    """Whether it is this connection's turn, until it is closed."""
    rows = await connection.execute("SELECT pg_try_advisory_lock(hashtextextended('field indexes', 7026))")
    row = await rows.fetchone()
    return bool(row and row[0])


def _dropped(name: str) -> sql.Composed:
    return sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS cms.{}").format(sql.Identifier(name))
