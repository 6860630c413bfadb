"""Content types, and the documents of a type as its changes concern them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cms_api.adapters.sqlalchemy.base import json_text, translating
from cms_api.adapters.sqlalchemy.cms.contents import unpack
from cms_api.adapters.sqlalchemy.cms.field_indexes import unique_errors
from cms_api.adapters.sqlalchemy.cms.publications import others_of
from cms_api.adapters.sqlalchemy.cms.references import put_all_links
from cms_api.adapters.sqlalchemy.cms.table import lock
from cms_api.adapters.sqlalchemy.keyset import Column, Keyset
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.domains.cms.content_types.definition import Definition
from cms_api.domains.cms.content_types.errors import PathTaken, TypeTaken
from cms_api.domains.cms.content_types.interface import Change, TypeRevision
from cms_api.domains.cms.content_types.ports import (
    ContentTypeQueries,
    ContentTypeRepository,
    IndexSpec,
    ModelledDocuments,
    ReadModel,
    StoredFields,
    TypeRecord,
)
from cms_api.domains.cms.documents.rendering import OTHER_FORMATS, RENDERING_VERSION
from cms_api.kernel.errors import CmsError
from cms_api.querying import Page, PageRequest

BUILT_IN = "post"  # whose workflow and limits a new type begins with
EXAMPLES = 5
# What points at something in every type, and so does not follow from the fields of one.
OF_ALL = ("authors",)

INDEXES = """coalesce((
    SELECT jsonb_agg(jsonb_build_object('field', i.field_id, 'kind', i.kind, 'state', i.state, 'detail', i.detail)
        ORDER BY i.field_id, i.kind)
    FROM cms.field_indexes i WHERE i.type_key = t.key), '[]')"""
COLUMNS = f"""t.id, t.key, t.version, t.definition, t.conversions, t.migration_id, t.created_at, t.updated_at,
    t.created_by, t.updated_by, {INDEXES} AS indexes"""
NAMES = TypeRecord.__struct_fields__
TYPE = f"SELECT {COLUMNS}\nFROM cms.content_types t"
TYPES_BY = Keyset(
    {"key": Column("t.key", "text"), "created_at": Column("t.created_at", "timestamptz")},
    key=Column("t.id", "uuid"),
)
REVISION = """
SELECT r.version, r.definition, r.changes, r.created_at, r.created_by
FROM cms.content_type_revisions r"""
REVISIONS_BY = Keyset(
    {
        "version": Column("r.version", "integer"),
        "created_at": Column("r.created_at", "timestamptz"),
    },
    key=Column("r.version", "integer"),
    filters={"created_by": Column("r.created_by", "uuid")},
)


def _record(values: Mapping[str, Any]) -> TypeRecord:
    return msgspec.convert(dict(values), TypeRecord)


class SqlAlchemyContentTypes(ContentTypeRepository):
    """Types in ``cms.content_types``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, key: str) -> TypeRecord | None:
        locked = await self._session.scalar(
            text("SELECT key FROM cms.content_types WHERE key = :key FOR UPDATE"), {"key": key}
        )
        if locked is None:
            return None
        found = await self._session.execute(text(f"{TYPE} WHERE t.key = :key"), {"key": key})
        return _record(dict(found.mappings().one()))

    async def hold(self, key: str) -> int | None:
        version: int | None = await self._session.scalar(
            text("SELECT version FROM cms.content_types WHERE key = :key FOR SHARE"), {"key": key}
        )
        return version

    async def known(self, keys: Collection[str]) -> frozenset[str]:
        if not keys:
            return frozenset()
        found = await self._session.scalars(
            text("SELECT key FROM cms.content_types WHERE key = ANY(:keys) ORDER BY key FOR KEY SHARE"),
            {"keys": list(keys)},
        )
        return frozenset(found)

    async def add(self, record: TypeRecord) -> None:
        with translating({"pk_content_types": TypeTaken(record.key), **_taken(record)}):
            await self._session.execute(
                text(
                    """
                    INSERT INTO cms.content_types (key, id, version, definition, conversions, migration_id,
                        created_at, updated_at, created_by, updated_by)
                    VALUES (:key, :id, :version, CAST(:definition AS jsonb), CAST(:conversions AS jsonb),
                        :migration_id, :created_at, :updated_at, :created_by, :updated_by)
                    """
                ),
                _row(record),
            )
        for statement in (
            """
            INSERT INTO cms.workflows (type, is_enabled, stages, transitions, version, updated_at)
            SELECT :key, false, stages, transitions, 1, :at FROM cms.workflows WHERE type = :model
            """,
            """
            INSERT INTO cms.retention_policies (type, version, max_revisions, max_revision_days, max_trash_days,
                updated_at)
            SELECT :key, 1, max_revisions, max_revision_days, max_trash_days, :at
            FROM cms.retention_policies WHERE type = :model
            """,
        ):
            await self._session.execute(
                text(statement), {"key": record.key, "at": record.created_at, "model": BUILT_IN}
            )

    async def save(self, record: TypeRecord) -> None:
        with translating(_taken(record)):
            await self._session.execute(
                text(
                    """
                    UPDATE cms.content_types SET version = :version, definition = CAST(:definition AS jsonb),
                        conversions = CAST(:conversions AS jsonb), migration_id = :migration_id,
                        updated_at = :updated_at, updated_by = :updated_by
                    WHERE key = :key
                    """
                ),
                _row(record),
            )

    async def add_revision(self, record: TypeRecord, changes: Collection[Change]) -> None:
        await self._session.execute(
            text(
                """
                INSERT INTO cms.content_type_revisions (type_id, version, key, definition, changes, created_at,
                    created_by)
                VALUES (:id, :version, :key, CAST(:definition AS jsonb), CAST(:changes AS jsonb), :updated_at,
                    :updated_by)
                """
            ),
            _row(record) | {"changes": json_text(list(changes))},
        )

    async def set_indexes(self, key: str, specs: Collection[IndexSpec]) -> bool:
        wanted = [
            (spec.field_id, spec.kind, f"{spec.shape}{'_l' if spec.localised else ''}") for spec in specs
        ]
        changed = await self._session.execute(
            text(
                """
                WITH wanted AS (
                    SELECT * FROM unnest(CAST(:fields AS text[]), CAST(:kinds AS text[]), CAST(:specs AS text[]))
                        AS w (field_id, kind, spec)),
                gone AS (
                    DELETE FROM cms.field_indexes i WHERE i.type_key = :key AND NOT EXISTS (
                        SELECT FROM wanted w WHERE w.field_id = i.field_id AND w.kind = i.kind)
                    RETURNING 1),
                put AS (
                    INSERT INTO cms.field_indexes AS i (type_key, field_id, kind, spec, state)
                    SELECT :key, w.field_id, w.kind, w.spec, 'pending' FROM wanted w
                    ON CONFLICT (type_key, field_id, kind) DO UPDATE
                    SET spec = excluded.spec, state = 'pending', detail = NULL
                    WHERE i.spec <> excluded.spec OR i.state = 'failed'
                    RETURNING 1)
                SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM put)
                """
            ),
            {
                "key": key,
                "fields": [one[0] for one in wanted],
                "kinds": [one[1] for one in wanted],
                "specs": [one[2] for one in wanted],
            },
        )
        return bool(changed.scalar_one())

    async def delete(self, key: str) -> None:
        for statement in (
            "DELETE FROM cms.content_types WHERE key = :key",
            "DELETE FROM cms.workflows WHERE type = :key",
            "DELETE FROM cms.retention_policies WHERE type = :key",
        ):
            await self._session.execute(text(statement), {"key": key})

    async def usage(self, key: str) -> tuple[int, tuple[str, ...]]:
        documents = await self._session.scalar(
            text("SELECT count(*) FROM cms.documents WHERE type = :key"), {"key": key}
        )
        types = await self._session.scalars(
            text(
                """
                SELECT key FROM cms.content_types WHERE key <> :key AND jsonb_path_exists(
                    definition, '$.**.types[*] ? (@ == $key)', jsonb_build_object('key', CAST(:key AS text)))
                ORDER BY key
                """
            ),
            {"key": key},
        )
        return documents or 0, tuple(types)


def _taken(record: TypeRecord) -> dict[str, CmsError]:
    return {"uq_content_types_path": PathTaken(record.definition.path or "")}


def _row(record: TypeRecord) -> dict[str, Any]:
    values = {name: getattr(record, name) for name in NAMES if name != "indexes"}
    return values | {"definition": json_text(record.definition), "conversions": json_text(record.conversions)}


# What documents are found by, and what readers get of them in all formats.
PUT = f"""
WITH given AS (
    SELECT * FROM unnest(
        CAST(:ids AS uuid[]), CAST(:lives AS boolean[]), CAST(:fields AS text[]), CAST(:mentions AS text[]),
        CAST(:markdown AS text[]), CAST(:text AS text[]), CAST(:blocks AS text[]))
        AS g (id, is_live, fields, mentions, markdown, text, blocks)),
published AS (
    UPDATE cms.publications p
    SET fields = CAST(g.fields AS jsonb) || jsonb_build_object('seo', p.fields->'seo'),
        mention_ids = ARRAY(SELECT CAST(m AS uuid) FROM jsonb_array_elements_text(CAST(g.mentions AS jsonb)) m),
        rendering_version = {RENDERING_VERSION}
    FROM given g WHERE p.document_id = g.id AND g.is_live
    RETURNING p.document_id),
rendered AS (
    INSERT INTO cms.renderings (document_id, markdown, text, blocks)
    SELECT g.id, CAST(g.markdown AS jsonb), CAST(g.text AS jsonb), CAST(g.blocks AS jsonb)
    FROM given g JOIN published p ON p.document_id = g.id WHERE g.is_live
    ON CONFLICT (document_id) DO UPDATE SET
        markdown = excluded.markdown, text = excluded.text, blocks = excluded.blocks)
UPDATE cms.documents d SET fields = CAST(g.fields AS jsonb)
FROM given g WHERE d.id = g.id AND NOT g.is_live
"""
# Previews that were given no title of their own go by the document's.
TITLED = """
UPDATE cms.publications d SET title = {title}, seo = jsonb_set(jsonb_set(d.seo,
    '{{og,title}}', to_jsonb(coalesce(nullif(d.fields->'seo'->'og'->>'title', ''),
        nullif(d.fields->'seo'->>'title', ''), {title}))),
    '{{twitter,title}}', to_jsonb(coalesce(nullif(d.fields->'seo'->'twitter'->>'title', ''),
        nullif(d.fields->'seo'->'og'->>'title', ''), nullif(d.fields->'seo'->>'title', ''), {title})))
WHERE d.type = :key AND d.title <> {title}
"""


class SqlAlchemyModelledDocuments(ModelledDocuments):
    """Documents' fields in ``cms.documents``, those of live copies in ``cms.contents``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def batch(self, key: str, after: UUID | None, limit: int) -> list[StoredFields]:
        found = await self._session.execute(
            text(
                """
                SELECT d.id, d.fields, d.live_revision_id IS NOT NULL AS is_live, c.data, b.data AS base
                FROM cms.documents d
                LEFT JOIN cms.revisions r ON r.document_id = d.id AND r.id = d.live_revision_id
                    AND d.live_revision_id <> d.draft_revision_id
                LEFT JOIN cms.contents c ON c.document_id = d.id AND c.hash = r.hash
                LEFT JOIN cms.contents b ON b.document_id = d.id AND b.hash = c.base_hash
                WHERE d.type = :key AND (CAST(:after AS uuid) IS NULL OR d.id > :after)
                ORDER BY d.id LIMIT :limit
                """
            ),
            {"key": key, "after": after, "limit": limit},
        )
        return [
            StoredFields(
                id=row.id, draft=row.fields or {}, live=_live(row.data, row.base), is_live=row.is_live
            )
            for row in found
        ]

    async def count(self, key: str) -> int:
        found = await self._session.scalar(
            text("SELECT count(*) FROM cms.documents WHERE type = :key"), {"key": key}
        )
        return found or 0

    async def duplicates(self, key: str, field_id: str, *, localised: bool) -> tuple[int, list[UUID]]:
        scope = "d.locale" if localised else "''"
        primary = "" if localised else "AND d.translation_of IS NULL"
        return await self._some(
            f"""
            SELECT d.id, count(*) OVER (PARTITION BY {scope}, d.fields->>:field) AS number FROM cms.documents d
            WHERE d.type = :key AND d.trashed_at IS NULL AND d.fields ? :field {primary}
            """,
            "number > 1",
            {"key": key, "field": field_id},
        )

    async def misfits(self, key: str, field_id: str, types: Collection[str]) -> tuple[int, list[UUID]]:
        return await self._some(
            """
            SELECT DISTINCT l.document_id AS id FROM cms.links l
            JOIN cms.documents d ON d.id = l.document_id AND d.type = :key
            JOIN cms.documents t ON t.id = l.target_id
            WHERE l.field = :field AND t.type <> ALL (:types)
            """,
            "true",
            {"key": key, "field": field_id, "types": list(types)},
        )

    async def unequal(self, key: str, field_id: str) -> tuple[int, list[UUID]]:
        return await self._some(
            """
            SELECT d.id FROM cms.documents d JOIN cms.documents o ON o.id = d.translation_of
            WHERE d.type = :key AND d.fields->:field IS DISTINCT FROM o.fields->:field
            """,
            "true",
            {"key": key, "field": field_id},
        )

    async def _some(self, rows: str, condition: str, params: dict[str, Any]) -> tuple[int, list[UUID]]:
        found = await self._session.execute(
            text(
                f"""
                WITH found AS (SELECT id FROM ({rows}) f WHERE {condition})
                SELECT (SELECT count(*) FROM found),
                       ARRAY(SELECT id FROM found ORDER BY id LIMIT {EXAMPLES})
                """
            ),
            params,
        )
        number, some = found.one()
        return number, list(some)

    async def set_policies(self, key: str, policies: Mapping[str, str]) -> None:
        await self._set(key, "on_delete", "text", policies)

    async def set_visibilities(self, key: str, visibilities: Mapping[str, bool]) -> None:
        await self._set(key, "is_public", "boolean", visibilities)

    async def _set(self, key: str, column: str, type: str, values: Mapping[str, object]) -> None:
        """Have a column of the links of these fields say something else."""
        await self._session.execute(
            text(
                f"""
                UPDATE cms.links l SET {column} = v.value
                FROM unnest(CAST(:fields AS text[]), CAST(:values AS {type}[])) AS v (field, value),
                    cms.documents d
                WHERE d.id = l.document_id AND d.type = :key AND l.field = v.field AND l.{column} <> v.value
                """
            ),
            {"key": key, "fields": list(values), "values": list(values.values())},
        )

    async def set_pointers(self, key: str, pointers: Mapping[str, str]) -> None:
        await self._session.execute(
            text(
                """
                UPDATE cms.links l SET pointer = (
                    SELECT string_agg(CASE n.part WHEN '*' THEN o.part ELSE n.part END, '/' ORDER BY place)
                    FROM unnest(string_to_array(p.pointer, '/')) WITH ORDINALITY AS n (part, place)
                    JOIN unnest(string_to_array(l.pointer, '/')) WITH ORDINALITY AS o (part, place)
                        USING (place))
                FROM unnest(CAST(:fields AS text[]), CAST(:pointers AS text[])) AS p (field, pointer),
                    cms.documents d
                WHERE d.id = l.document_id AND d.type = :key AND l.field = p.field
                """
            ),
            {"key": key, "fields": list(pointers), "pointers": list(pointers.values())},
        )

    async def put(self, definition: Definition, models: Collection[ReadModel]) -> None:
        if not models:
            return
        faces = [
            (one.id, is_live, face)
            for one in models
            for is_live, face in ((False, one.draft), (True, one.live))
            if face is not None
        ]
        others = [others_of(face.others) for _, _, face in faces]
        params: dict[str, Any] = {name: [one[name] for one in others] for name in OTHER_FORMATS}
        params["ids"] = [one for one, _, _ in faces]
        params["lives"] = [is_live for _, is_live, _ in faces]
        params["fields"] = [json_text(face.fields) for _, _, face in faces]
        params["mentions"] = [json_text(sorted(face.mentions)) for _, _, face in faces]
        with translating(unique_errors(definition)):
            await self._session.execute(text(PUT), params)
        links = [(one, is_live, face.links) for one, is_live, face in faces]
        await put_all_links(self._session, links, but=OF_ALL)

    async def set_titles(self, key: str, draft: str | None, live: str | None) -> None:
        drafts = "UPDATE cms.documents d SET title = {title} WHERE d.type = :key AND d.title <> {title}"
        for statement, field_id in ((drafts, draft), (TITLED, live)):
            title = "left(coalesce(nullif(d.fields->>:field, ''), d.slug), 500)" if field_id else "d.slug"
            params = {"key": key} | ({"field": field_id} if field_id else {})
            await self._session.execute(text(statement.format(title=title)), params)

    async def is_taken(
        self, key: str, field_id: str, value: Any, *, locale: str | None, but: Collection[UUID]
    ) -> bool:
        await lock(self._session, f"unique {key} {field_id} {locale}")
        found = await self._session.scalar(
            text(
                """
                SELECT EXISTS (
                    SELECT FROM cms.documents
                    WHERE type = :key AND trashed_at IS NULL AND fields->:field = CAST(:value AS jsonb)
                      AND (CAST(:locale AS text) IS NULL OR locale = :locale) AND id <> ALL (:but))
                """
            ),
            {"key": key, "field": field_id, "value": json_text(value), "locale": locale, "but": list(but)},
        )
        return bool(found)


def _live(data: bytes | None, base: bytes | None) -> dict[str, Any] | None:
    if data is None:
        return None
    whole = None if base is None else unpack(bytes(base), None)
    fields: dict[str, Any] = msgspec.json.decode(unpack(bytes(data), whole)).get("fields", {})
    return fields


FINGERPRINT = """
SELECT coalesce(string_agg(key || ' ' || id || ' ' || version, ',' ORDER BY key), '') FROM cms.content_types"""


class SqlContentTypes(ContentTypeQueries):
    """Types, for looking at them."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def get(self, key: str) -> TypeRecord | None:
        row = await self._reader.one(f"{TYPE}\nWHERE t.key = %(key)s", {"key": key})
        return None if row is None else _of(row)

    async def versions(self, keys: Collection[str]) -> dict[str, tuple[int, bool, str]]:
        rows = await self._reader.rows(
            f"""
            SELECT t.key, t.version, NOT EXISTS (
                SELECT FROM cms.field_indexes i WHERE i.type_key = t.key AND i.state <> 'ready'), ({FINGERPRINT})
            FROM cms.content_types t WHERE t.key = ANY(%(keys)s)
            """,
            {"keys": list(keys)},
        )
        return {row[0]: (row[1], row[2], row[3]) for row in rows}

    async def list(self, page: PageRequest) -> Page[TypeRecord]:
        return await TYPES_BY.page(self._reader, TYPE, [], {}, page, _of)

    async def all(self) -> Sequence[TypeRecord]:
        return [_of(row) for row in await self._reader.rows(f"{TYPE}\nORDER BY t.key")]

    async def fingerprint(self) -> str:
        row = await self._reader.one(FINGERPRINT)
        return str(row[0]) if row else ""

    async def revisions(self, type_id: UUID, page: PageRequest) -> Page[TypeRevision]:
        where, params = ["r.type_id = %(id)s"], {"id": type_id}
        return await REVISIONS_BY.page(self._reader, REVISION, where, params, page, _revision)


def _revision(row: tuple[Any, ...]) -> TypeRevision:
    return msgspec.convert(dict(zip(TypeRevision.__struct_fields__, row, strict=True)), TypeRevision)


def _of(row: tuple[Any, ...]) -> TypeRecord:
    return _record(dict(zip(NAMES, row, strict=True)))
