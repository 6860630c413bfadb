"""A draft is a revision, and contents are kept once, compressed."""

from collections.abc import Iterator
from typing import Any

import msgspec
from alembic import op
from sqlalchemy import Connection, text

from cms_api.adapters.sqlalchemy.cms.contents import pack, unpack
from cms_api.domains.cms.documents.content import hash_of
from cms_api.kernel.ids import new_id

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BATCH = 500

BEFORE = """
CREATE TABLE cms.contents (
    document_id uuid NOT NULL
        CONSTRAINT fk_contents_document_id_documents REFERENCES cms.documents ON DELETE CASCADE,
    hash bytea NOT NULL,
    -- the content that ``data`` tells the difference from; null where it is told whole
    base_hash bytea,
    data bytea NOT NULL,
    CONSTRAINT pk_contents PRIMARY KEY (document_id, hash),
    CONSTRAINT fk_contents_base FOREIGN KEY (document_id, base_hash) REFERENCES cms.contents (document_id, hash)
);
CREATE INDEX ix_contents_base_hash ON cms.contents (document_id, base_hash) WHERE base_hash IS NOT NULL;
-- It is compressed already.
ALTER TABLE cms.contents ALTER COLUMN data SET STORAGE EXTERNAL;

ALTER TABLE cms.documents DROP CONSTRAINT fk_documents_live_revision;
ALTER TABLE cms.revisions
    DROP CONSTRAINT uq_revisions_hash,
    DROP CONSTRAINT uq_revisions_document_id_id,
    DROP CONSTRAINT pk_revisions,
    ADD CONSTRAINT pk_revisions PRIMARY KEY (document_id, id),
    ADD COLUMN version integer NOT NULL DEFAULT 1,
    ADD COLUMN document_version integer NOT NULL DEFAULT 1,
    ADD COLUMN size integer NOT NULL DEFAULT 0,
    ADD COLUMN changed text[] NOT NULL DEFAULT '{}',
    ADD COLUMN label text,
    ADD COLUMN is_pinned boolean NOT NULL DEFAULT false,
    ADD COLUMN restored_from uuid,
    ADD COLUMN published_at timestamptz;
ALTER TABLE cms.documents ADD COLUMN draft_revision_id uuid;
"""

AFTER = """
-- Until now a revision was made by publishing only.
UPDATE cms.revisions SET published_at = created_at WHERE content IS NOT NULL;
UPDATE cms.revisions r SET document_version = d.version FROM cms.documents d
WHERE d.id = r.document_id AND r.id IN (d.draft_revision_id, d.live_revision_id);

ALTER TABLE cms.revisions
    ALTER COLUMN document_version DROP DEFAULT,
    ALTER COLUMN size DROP DEFAULT,
    DROP COLUMN content,
    ADD CONSTRAINT fk_revisions_contents FOREIGN KEY (document_id, hash)
        REFERENCES cms.contents (document_id, hash);
CREATE INDEX ix_revisions_hash ON cms.revisions (document_id, hash);
ALTER TABLE cms.documents
    ALTER COLUMN draft_revision_id SET NOT NULL,
    DROP COLUMN draft,
    DROP COLUMN draft_hash,
    ADD CONSTRAINT fk_documents_draft_revision FOREIGN KEY (id, draft_revision_id)
        REFERENCES cms.revisions (document_id, id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT fk_documents_live_revision FOREIGN KEY (id, live_revision_id)
        REFERENCES cms.revisions (document_id, id) DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX ix_documents_trashed_at ON cms.documents (type, trashed_at) WHERE trashed_at IS NOT NULL;

CREATE TABLE cms.retention_policies (
    type text CONSTRAINT pk_retention_policies PRIMARY KEY,
    version integer NOT NULL,
    max_revisions integer CONSTRAINT ck_retention_policies_max_revisions CHECK (max_revisions >= 1),
    max_revision_days integer CONSTRAINT ck_retention_policies_max_revision_days CHECK (max_revision_days >= 1),
    max_trash_days integer CONSTRAINT ck_retention_policies_max_trash_days CHECK (max_trash_days >= 1),
    updated_at timestamptz NOT NULL,
    updated_by uuid
);
INSERT INTO cms.retention_policies (type, version, max_revisions, max_revision_days, max_trash_days, updated_at)
VALUES ('post', 1, 1000, 365, 30, now()), ('page', 1, 1000, 365, 30, now());
"""

DOWN = """
DROP TABLE cms.retention_policies;
DROP INDEX cms.ix_documents_trashed_at;
ALTER TABLE cms.documents
    DROP CONSTRAINT fk_documents_live_revision,
    DROP CONSTRAINT fk_documents_draft_revision,
    ADD COLUMN draft jsonb,
    ADD COLUMN draft_hash bytea;
ALTER TABLE cms.revisions
    DROP CONSTRAINT fk_revisions_contents,
    ADD COLUMN content jsonb;
DROP INDEX cms.ix_revisions_hash;
"""

DOWN_AFTER = """
UPDATE cms.documents d SET draft = r.content, draft_hash = r.hash
FROM cms.revisions r WHERE r.document_id = d.id AND r.id = d.draft_revision_id;
-- Before, there was one revision for each content that was published: that of the live copy, or the first.
DELETE FROM cms.revisions r USING (
    SELECT o.document_id, o.id, o.published_at IS NULL OR row_number() OVER (
        PARTITION BY o.document_id, o.hash, o.published_at IS NULL
        ORDER BY o.id IS DISTINCT FROM d.live_revision_id, o.id) > 1 AS is_surplus
    FROM cms.revisions o JOIN cms.documents d ON d.id = o.document_id) ranked
WHERE ranked.document_id = r.document_id AND ranked.id = r.id AND ranked.is_surplus;
ALTER TABLE cms.documents
    ALTER COLUMN draft SET NOT NULL,
    ALTER COLUMN draft_hash SET NOT NULL,
    DROP COLUMN draft_revision_id;
ALTER TABLE cms.revisions
    ALTER COLUMN content SET NOT NULL,
    DROP CONSTRAINT pk_revisions,
    DROP COLUMN version, DROP COLUMN document_version, DROP COLUMN size, DROP COLUMN changed, DROP COLUMN label,
    DROP COLUMN is_pinned, DROP COLUMN restored_from, DROP COLUMN published_at,
    ADD CONSTRAINT pk_revisions PRIMARY KEY (id),
    ADD CONSTRAINT uq_revisions_hash UNIQUE (document_id, hash),
    ADD CONSTRAINT uq_revisions_document_id_id UNIQUE (document_id, id);
ALTER TABLE cms.documents ADD CONSTRAINT fk_documents_live_revision
    FOREIGN KEY (id, live_revision_id) REFERENCES cms.revisions (document_id, id)
    DEFERRABLE INITIALLY DEFERRED;
DROP TABLE cms.contents;
"""

GRANTS = """
INSERT INTO auth.role_permissions (role_key, permission)
SELECT 'administrator', unnest(ARRAY[
    'documents:archive', 'documents:archive_own', 'documents:purge', 'retention:write'])
UNION ALL SELECT 'editor', unnest(ARRAY['documents:archive', 'documents:archive_own', 'documents:purge'])
UNION ALL SELECT 'author', 'documents:archive_own';
"""
REVOKE = """
DELETE FROM auth.role_permissions
WHERE permission IN ('documents:archive', 'documents:archive_own', 'documents:purge', 'retention:write');
"""


def upgrade() -> None:
    """Move drafts and snapshots to ``cms.contents``, and give each draft a revision."""
    op.execute(BEFORE)
    connection = op.get_bind()
    for batch in _batches(
        connection, "SELECT document_id, id, hash, content::text AS content FROM cms.revisions"
    ):
        contents = [_encoded(row["content"]) for row in batch]
        _store(
            connection, [(row["document_id"], row["hash"], c) for row, c in zip(batch, contents, strict=True)]
        )
        connection.execute(
            text("UPDATE cms.revisions SET size = :size WHERE document_id = :document_id AND id = :id"),
            [{**row, "size": len(c)} for row, c in zip(batch, contents, strict=True)],
        )
    connection.execute(text("ALTER TABLE cms.revisions ALTER COLUMN content DROP NOT NULL"))
    drafts = """
        SELECT d.id AS document_id, d.id, d.draft::text AS content, d.version, d.updated_at, d.updated_by, r.id AS known
        FROM cms.documents d LEFT JOIN cms.revisions r ON r.document_id = d.id AND r.hash = d.draft_hash
    """
    for batch in _batches(connection, drafts):
        _give_revisions(connection, batch)
    op.execute(AFTER)
    op.execute(GRANTS)


def downgrade() -> None:
    """Put the drafts back into ``cms.documents``. Only what was published keeps its revision."""
    op.execute(REVOKE)
    op.execute(DOWN)
    connection = op.get_bind()
    revisions = """
        SELECT r.document_id, r.id, c.data, b.data AS base FROM cms.revisions r
        JOIN cms.contents c ON c.document_id = r.document_id AND c.hash = r.hash
        LEFT JOIN cms.contents b ON b.document_id = r.document_id AND b.hash = c.base_hash
    """
    for batch in _batches(connection, revisions):
        connection.execute(
            text(
                "UPDATE cms.revisions SET content = CAST(:content AS jsonb)"
                " WHERE document_id = :document_id AND id = :id"
            ),
            [
                {"document_id": row["document_id"], "id": row["id"], "content": _unpacked(row)}
                for row in batch
            ],
        )
    op.execute(DOWN_AFTER)


def _batches(connection: Connection, select: str) -> Iterator[list[dict[str, Any]]]:
    """The rows of ``select``, which has a ``document_id`` and an ``id``, in pieces that fit into memory."""
    at: dict[str, Any] = {"document": None, "id": None, "limit": BATCH}
    while True:
        found = connection.execute(
            text(
                f"SELECT * FROM ({select}) rows WHERE CAST(:document AS uuid) IS NULL"
                " OR (document_id, id) > (CAST(:document AS uuid), CAST(:id AS uuid))"
                " ORDER BY document_id, id LIMIT :limit"
            ),
            at,
        )
        batch = [dict(row) for row in found.mappings()]
        if not batch:
            return
        yield batch
        at |= {"document": batch[-1]["document_id"], "id": batch[-1]["id"]}


def _encoded(content: str) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(content), order="sorted")


def _unpacked(row: dict[str, Any]) -> str:
    base = None if row["base"] is None else unpack(bytes(row["base"]), None)
    return unpack(bytes(row["data"]), base).decode()


def _store(connection: Connection, contents: list[tuple[Any, bytes, bytes]]) -> None:
    connection.execute(
        text(
            "INSERT INTO cms.contents (document_id, hash, data) VALUES (:document_id, :hash, :data)"
            " ON CONFLICT DO NOTHING"
        ),
        [
            {"document_id": document_id, "hash": digest, "data": pack(content, None).data}
            for document_id, digest, content in contents
        ],
    )


def _give_revisions(connection: Connection, drafts: list[dict[str, Any]]) -> None:
    """Point each draft at the revision with its content, at a new one where there is none."""
    new = []
    for row in drafts:
        if row["known"] is None:
            content = _encoded(row["content"])
            row["known"] = new_id()
            new.append({**row, "hash": hash_of(content), "size": len(content), "encoded": content})
    if new:
        _store(connection, [(row["document_id"], row["hash"], row["encoded"]) for row in new])
        connection.execute(
            text(
                "INSERT INTO cms.revisions (document_id, id, hash, size, created_at, created_by)"
                " VALUES (:document_id, :known, :hash, :size, :updated_at, :updated_by)"
            ),
            new,
        )
    connection.execute(
        text("UPDATE cms.documents SET draft_revision_id = :known WHERE id = :document_id"), drafts
    )
