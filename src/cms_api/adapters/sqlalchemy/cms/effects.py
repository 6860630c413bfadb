"""What a deletion meets, as one statement: who goes along, who loses a reference, who forbids it.

Written for `str.format`: ``id`` and ``limit`` are placeholders in the driver's way. Every group
comes with its count, and up to the limit of each with names; ``all`` is true where only those
who forbid it are cut off. Whoever meets it by links of ``withheld`` fields only counts, and comes last.
"""

from collections.abc import Collection
from typing import Literal

from cms_api.domains.cms.documents.references import FieldOf, Mode

# Which documents go along with what they point at, and which links count of those that stay.
ALONG: dict[Mode, str] = {
    "trash": "d.trashed_at IS NULL",
    "delete": "d.trashed_at IS NULL",
    "purge": "d.trashed_at IS NOT NULL",
}
COUNTED: dict[Mode, str] = {
    "trash": "d.trashed_at IS NULL AND l.field <> 'parent'",
    "delete": "(d.trashed_at IS NULL OR l.target_id = {id}) AND l.on_delete <> 'cascade'",
    "purge": "true",
}
# Whether a link, and whatever led to it, may be told of.
TOLD = "g.told AND (d.type || '.' || l.field) <> ALL(CAST({withheld} AS text[]))"
TRANSLATIONS = """
    UNION ALL SELECT d.id, d.type, d.title, true, going.told
    FROM cms.documents d JOIN going ON d.translation_of = going.id"""
# What forbids it besides links; only a preview asks for that here.
BESIDE = """
    UNION ALL SELECT a.id, 'author', a.name, true, true FROM cms.authors a WHERE a.avatar_id = {id}
    UNION ALL SELECT t.id, t.taxonomy, t.name, true, true FROM cms.terms t WHERE t.parent_id = {id}
    UNION ALL SELECT d.id, d.type, d.title, true, true
    FROM cms.documents d LEFT JOIN cms.publications p ON p.document_id = d.id
    WHERE (d.parent_id = {id} AND d.trashed_at IS NULL) OR p.parent_id = {id}"""
EFFECTS = """
WITH RECURSIVE going AS (
    SELECT CAST({id} AS uuid) AS id, true AS told
    UNION
    SELECT d.id, {told} FROM going g
    JOIN cms.links l ON l.target_id = g.id AND l.on_delete = 'cascade'
    JOIN cms.documents d ON d.id = l.document_id AND {along}),
staying AS (
    SELECT d.id, d.type, d.title, l.on_delete <> 'unlink' AS forbids, {told} AS told
    FROM going g JOIN cms.links l ON l.target_id = g.id JOIN cms.documents d ON d.id = l.document_id
    WHERE {counted}{more}),
met AS (
    SELECT 'cascaded' AS effect, d.id, d.type, d.title, bool_or(g.told) AS told
    FROM going g JOIN cms.documents d ON d.id = g.id WHERE d.id <> {id} GROUP BY d.id
    UNION ALL
    SELECT CASE WHEN bool_or(forbids) THEN 'restricted' ELSE 'unlinked' END, id, type, min(title),
           CASE WHEN bool_or(forbids) THEN bool_or(forbids AND told) ELSE bool_or(told) END
    FROM staying WHERE id NOT IN (SELECT id FROM going) GROUP BY id, type),
placed AS (
    SELECT met.*, count(*) OVER (PARTITION BY effect) AS number,
           row_number() OVER (PARTITION BY effect ORDER BY told DESC, id) AS place
    FROM met)
SELECT effect, number, id, type, title, {named} FROM placed WHERE {cut} ORDER BY effect, place
"""


def effects_sql(mode: Mode, *, id: str, limit: str, withheld: str, of: Literal["all", "preview"]) -> str:
    """The statement for a deletion of that kind; a preview has what forbids it besides links too."""
    beside = BESIDE.format(id=id) if of == "preview" and mode != "purge" else ""
    return EFFECTS.format(
        id=id,
        along=ALONG[mode],
        counted=COUNTED[mode].format(id=id),
        told=TOLD.format(withheld=withheld),
        more=(TRANSLATIONS if mode == "purge" else "") + beside,
        # Those that a deletion changes are told to itself, whoever asks for it.
        named="told" if of == "preview" else "told OR effect <> 'restricted'",
        cut=f"place <= {limit}" if of == "preview" else f"effect <> 'restricted' OR place <= {limit}",
    )


def names(fields: Collection[FieldOf]) -> list[str]:
    """Fields as they are compared: no key of a type has a dot."""
    return [f"{one.type}.{one.field}" for one in fields]
