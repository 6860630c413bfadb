"""Content types made at run time, and what links say of themselves."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE cms.content_types (
    key text CONSTRAINT pk_content_types PRIMARY KEY,
    id uuid NOT NULL CONSTRAINT uq_content_types_id UNIQUE,
    version integer NOT NULL,
    definition jsonb NOT NULL,
    -- conversions that documents may still have before them, by field
    conversions jsonb NOT NULL DEFAULT '{}',
    migration_id uuid,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    created_by uuid,
    updated_by uuid
);
CREATE INDEX ix_content_types_created_at ON cms.content_types (created_at, id);

-- Every change of a type is a revision, and stays after the type itself is gone.
CREATE TABLE cms.content_type_revisions (
    type_id uuid NOT NULL,
    version integer NOT NULL,
    key text NOT NULL,
    definition jsonb NOT NULL,
    changes jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    created_by uuid,
    CONSTRAINT pk_content_type_revisions PRIMARY KEY (type_id, version)
);

-- The indexes of fields: built beside the traffic, so that they have a state of their own.
CREATE TABLE cms.field_indexes (
    type_key text NOT NULL CONSTRAINT fk_field_indexes_type_key_content_types
        REFERENCES cms.content_types ON DELETE CASCADE,
    field_id text NOT NULL,
    kind text NOT NULL CONSTRAINT ck_field_indexes_kind CHECK (kind IN ('unique', 'plain')),
    spec text NOT NULL,
    state text NOT NULL CONSTRAINT ck_field_indexes_state CHECK (state IN ('pending', 'ready', 'failed')),
    detail text,
    CONSTRAINT pk_field_indexes PRIMARY KEY (type_key, field_id, kind)
);

-- What the draft of a document of such a type says, by the fields' ids: to be filtered and indexed.
ALTER TABLE cms.documents
    ADD COLUMN fields jsonb,
    -- the document that this is a translation of: one for each language
    ADD COLUMN translation_of uuid CONSTRAINT fk_documents_translation_of_documents REFERENCES cms.documents;
CREATE UNIQUE INDEX uq_documents_translation ON cms.documents (translation_of, locale)
    WHERE translation_of IS NOT NULL AND trashed_at IS NULL;

ALTER TABLE cms.links
    ADD COLUMN pointer text NOT NULL DEFAULT '',
    ADD COLUMN on_delete text NOT NULL DEFAULT 'restrict'
        CONSTRAINT ck_links_on_delete CHECK (on_delete IN ('restrict', 'unlink', 'cascade'));
UPDATE cms.links SET pointer = '/' || field
    || CASE WHEN field IN ('authors', 'categories', 'tags') THEN '/' || position ELSE '' END;
ALTER TABLE cms.links ALTER COLUMN pointer DROP DEFAULT, ALTER COLUMN on_delete DROP DEFAULT;

INSERT INTO auth.role_permissions (role_key, permission) VALUES
    ('administrator', 'content_types:write'),
    ('administrator', 'documents:read_restricted'), ('editor', 'documents:read_restricted');
"""

DOWN = """
DELETE FROM auth.role_permissions WHERE permission IN ('content_types:write', 'documents:read_restricted');
DELETE FROM cms.documents WHERE type NOT IN ('post', 'page');
DELETE FROM cms.retention_policies WHERE type NOT IN ('post', 'page');
DELETE FROM cms.workflows WHERE type NOT IN ('post', 'page');
ALTER TABLE cms.links DROP COLUMN on_delete, DROP COLUMN pointer;
ALTER TABLE cms.documents DROP COLUMN translation_of, DROP COLUMN fields;
DROP TABLE cms.field_indexes;
DROP TABLE cms.content_type_revisions;
DROP TABLE cms.content_types;
"""


def upgrade() -> None:
    """Create the tables of content types; tell links where they stand and what a deletion does to them."""
    op.execute(UP)


def downgrade() -> None:
    """Drop them, with every document of such a type."""
    op.execute(DOWN)
