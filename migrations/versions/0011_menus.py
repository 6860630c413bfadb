"""Menus and their items."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE cms.menus (
    id uuid CONSTRAINT pk_menus PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    key text NOT NULL,
    name text NOT NULL,
    locale text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT uq_menus_key UNIQUE (key, locale)
);

CREATE TABLE cms.menu_items (
    menu_id uuid NOT NULL CONSTRAINT fk_menu_items_menu_id_menus REFERENCES cms.menus ON DELETE CASCADE,
    id uuid NOT NULL,
    parent_id uuid,
    position integer NOT NULL,
    label text,
    title text,
    kind text NOT NULL,
    -- What is deleted for good leaves its item behind, and so what hangs below that.
    document_id uuid
        CONSTRAINT fk_menu_items_document_id_documents REFERENCES cms.documents ON DELETE SET NULL,
    term_id uuid CONSTRAINT fk_menu_items_term_id_terms REFERENCES cms.terms ON DELETE SET NULL,
    url text,
    opens_in_new_tab boolean NOT NULL,
    CONSTRAINT pk_menu_items PRIMARY KEY (menu_id, id),
    CONSTRAINT fk_menu_items_parent FOREIGN KEY (menu_id, parent_id) REFERENCES cms.menu_items (menu_id, id),
    CONSTRAINT ck_menu_items_not_own_parent CHECK (parent_id <> id),
    CONSTRAINT ck_menu_items_target CHECK (
        CASE kind WHEN 'url' THEN url IS NOT NULL AND document_id IS NULL AND term_id IS NULL
                  WHEN 'document' THEN url IS NULL AND term_id IS NULL
                  WHEN 'category' THEN url IS NULL AND document_id IS NULL
                  WHEN 'tag' THEN url IS NULL AND document_id IS NULL
                  ELSE false END)
);
CREATE INDEX ix_menu_items_parent_id ON cms.menu_items (menu_id, parent_id);
CREATE INDEX ix_menu_items_document_id ON cms.menu_items (document_id) WHERE document_id IS NOT NULL;
CREATE INDEX ix_menu_items_term_id ON cms.menu_items (term_id) WHERE term_id IS NOT NULL;

INSERT INTO auth.role_permissions (role_key, permission) VALUES
    ('administrator', 'menus:manage'), ('editor', 'menus:manage');
"""

DOWN = """
DELETE FROM auth.role_permissions WHERE permission = 'menus:manage';
DROP TABLE cms.menu_items;
DROP TABLE cms.menus;
"""


def upgrade() -> None:
    """Make the tables."""
    op.execute(UP)


def downgrade() -> None:
    """Drop them, with all menus."""
    op.execute(DOWN)
