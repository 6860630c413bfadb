"""Redirects, and the order of pages among their siblings as a column."""

from typing import Any

import msgspec
from alembic import op
from sqlalchemy import text

from cms_api.adapters.sqlalchemy.cms.contents import unpack

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

BATCH = 500

UP = """
CREATE TABLE cms.redirects (
    id uuid CONSTRAINT pk_redirects PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    locale text NOT NULL,
    match text NOT NULL CONSTRAINT ck_redirects_match CHECK (match IN ('exact', 'prefix')),
    -- Paths are compared byte by byte: what lies below one is a range of the index.
    source text COLLATE "C" NOT NULL,
    target text COLLATE "C",
    document_id uuid
        CONSTRAINT fk_redirects_document_id_documents REFERENCES cms.documents ON DELETE CASCADE,
    status integer NOT NULL CONSTRAINT ck_redirects_status CHECK (status IN (301, 302, 307, 308, 410)),
    is_automatic boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT uq_redirects_source UNIQUE (locale, match, source),
    CONSTRAINT ck_redirects_one_target CHECK (
        num_nonnulls(target, document_id) = CASE status WHEN 410 THEN 0 ELSE 1 END)
);
CREATE INDEX ix_redirects_list ON cms.redirects (source, id);
CREATE INDEX ix_redirects_created_at ON cms.redirects (created_at, id);
CREATE INDEX ix_redirects_target ON cms.redirects (locale, target) WHERE target IS NOT NULL;
CREATE INDEX ix_redirects_document_id ON cms.redirects (document_id) WHERE document_id IS NOT NULL;

ALTER TABLE cms.documents ADD COLUMN menu_order integer NOT NULL DEFAULT 0;
"""

AFTER = """
-- The first level of the tree, of drafts and of live copies; those below are found by their parent.
CREATE INDEX ix_documents_roots ON cms.documents (locale, menu_order, title, id)
    WHERE parent_id IS NULL AND type = 'page' AND trashed_at IS NULL;
CREATE INDEX ix_publications_roots ON cms.publications (locale, menu_order, title, document_id)
    WHERE parent_id IS NULL AND type = 'page';

INSERT INTO auth.role_permissions (role_key, permission) VALUES
    ('administrator', 'redirects:manage'), ('editor', 'redirects:manage');
"""

DOWN = """
DELETE FROM auth.role_permissions WHERE permission = 'redirects:manage';
DROP INDEX cms.ix_publications_roots;
DROP INDEX cms.ix_documents_roots;
ALTER TABLE cms.documents DROP COLUMN menu_order;
DROP TABLE cms.redirects;
"""

DRAFTS = """
SELECT d.id, c.data, b.data AS base FROM cms.documents d
JOIN cms.revisions r ON r.document_id = d.id AND r.id = d.draft_revision_id
JOIN cms.contents c ON c.document_id = d.id AND c.hash = r.hash
LEFT JOIN cms.contents b ON b.document_id = d.id AND b.hash = c.base_hash
WHERE d.type = 'page' AND (CAST(:after AS uuid) IS NULL OR d.id > CAST(:after AS uuid))
ORDER BY d.id LIMIT :limit
"""


def upgrade() -> None:
    """Make the table, and take the orders of pages out of their contents."""
    op.execute(UP)
    connection, after = op.get_bind(), None
    while True:
        found = connection.execute(text(DRAFTS), {"after": after, "limit": BATCH})
        batch = [dict(row) for row in found.mappings()]
        if not batch:
            break
        if orders := [one for row in batch if (one := _order(row))["order"]]:
            connection.execute(text("UPDATE cms.documents SET menu_order = :order WHERE id = :id"), orders)
        after = batch[-1]["id"]
    op.execute(AFTER)


def downgrade() -> None:
    """Drop the table with all redirects; the orders are still in the contents."""
    op.execute(DOWN)


def _order(row: dict[str, Any]) -> dict[str, Any]:
    base = None if row["base"] is None else unpack(bytes(row["base"]), None)
    content = msgspec.json.decode(unpack(bytes(row["data"]), base))
    return {"id": row["id"], "order": content.get("menu_order", 0)}
