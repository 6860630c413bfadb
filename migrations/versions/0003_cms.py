"""The document engine and what hangs on it."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

UP = """
CREATE SCHEMA cms;

CREATE TABLE cms.media (
    id uuid CONSTRAINT pk_media PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    filename text NOT NULL,
    title text NOT NULL DEFAULT '',
    alt text NOT NULL DEFAULT '',
    caption text NOT NULL DEFAULT '',
    media_type text,
    size bigint,
    sha256 bytea,
    width integer,
    height integer,
    storage_key text,
    source_url text,
    created_by uuid,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT ck_media_stored_or_remote CHECK (storage_key IS NOT NULL OR source_url IS NOT NULL)
);
CREATE UNIQUE INDEX uq_media_storage_key ON cms.media (storage_key) WHERE storage_key IS NOT NULL;
CREATE INDEX ix_media_created_at ON cms.media (created_at, id);

CREATE TABLE cms.authors (
    id uuid CONSTRAINT pk_authors PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    user_id uuid,
    name text NOT NULL,
    slug text NOT NULL,
    bio text NOT NULL DEFAULT '',
    website text,
    avatar_id uuid CONSTRAINT fk_authors_avatar_id_media REFERENCES cms.media,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT uq_authors_slug UNIQUE (slug)
);
CREATE UNIQUE INDEX uq_authors_user_id ON cms.authors (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX ix_authors_name ON cms.authors (name, id);
CREATE INDEX ix_authors_avatar_id ON cms.authors (avatar_id) WHERE avatar_id IS NOT NULL;

CREATE TABLE cms.terms (
    id uuid CONSTRAINT pk_terms PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    taxonomy text NOT NULL CONSTRAINT ck_terms_taxonomy CHECK (taxonomy IN ('category', 'tag')),
    parent_id uuid,
    name text NOT NULL,
    slug text NOT NULL,
    description text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT uq_terms_slug UNIQUE (taxonomy, slug),
    CONSTRAINT uq_terms_taxonomy_id UNIQUE (taxonomy, id),
    CONSTRAINT fk_terms_parent FOREIGN KEY (taxonomy, parent_id) REFERENCES cms.terms (taxonomy, id),
    CONSTRAINT ck_terms_only_categories_nest CHECK (parent_id IS NULL OR taxonomy = 'category'),
    CONSTRAINT ck_terms_not_own_parent CHECK (parent_id <> id)
);
CREATE INDEX ix_terms_name ON cms.terms (taxonomy, name, id);
CREATE INDEX ix_terms_parent_id ON cms.terms (parent_id) WHERE parent_id IS NOT NULL;

CREATE TABLE cms.documents (
    id uuid CONSTRAINT pk_documents PRIMARY KEY,
    type text NOT NULL,
    locale text NOT NULL,
    version integer NOT NULL DEFAULT 1,
    slug text NOT NULL,
    path text NOT NULL,
    parent_id uuid CONSTRAINT fk_documents_parent_id_documents REFERENCES cms.documents,
    title text NOT NULL,
    draft jsonb NOT NULL,
    draft_hash bytea NOT NULL,
    -- the version in which each field of the draft last changed: what a stale writer has missed
    field_versions jsonb NOT NULL DEFAULT '{}',
    live_revision_id uuid,
    published_at timestamptz,
    first_published_at timestamptz,
    archived_at timestamptz,
    trashed_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    created_by uuid,
    updated_by uuid,
    CONSTRAINT ck_documents_not_own_parent CHECK (parent_id <> id)
);
-- A trashed document gives its address free.
CREATE UNIQUE INDEX uq_documents_path ON cms.documents (type, locale, path) WHERE trashed_at IS NULL;
CREATE INDEX ix_documents_updated_at ON cms.documents (type, updated_at, id);
CREATE INDEX ix_documents_created_at ON cms.documents (type, created_at, id);
CREATE INDEX ix_documents_title ON cms.documents (type, title, id);
CREATE INDEX ix_documents_published_at ON cms.documents (type, published_at, id);
CREATE INDEX ix_documents_parent_id ON cms.documents (parent_id) WHERE parent_id IS NOT NULL;

CREATE TABLE cms.revisions (
    id uuid CONSTRAINT pk_revisions PRIMARY KEY,
    document_id uuid NOT NULL
        CONSTRAINT fk_revisions_document_id_documents REFERENCES cms.documents ON DELETE CASCADE,
    hash bytea NOT NULL,
    content jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    created_by uuid,
    CONSTRAINT uq_revisions_hash UNIQUE (document_id, hash),
    CONSTRAINT uq_revisions_document_id_id UNIQUE (document_id, id)
);

ALTER TABLE cms.documents ADD CONSTRAINT fk_documents_live_revision
    FOREIGN KEY (id, live_revision_id) REFERENCES cms.revisions (document_id, id)
    DEFERRABLE INITIALLY DEFERRED;

-- The live copy, as readers see it: one row for each published document.
CREATE TABLE cms.publications (
    document_id uuid CONSTRAINT pk_publications PRIMARY KEY
        CONSTRAINT fk_publications_document_id_documents REFERENCES cms.documents ON DELETE CASCADE,
    type text NOT NULL,
    locale text NOT NULL,
    slug text NOT NULL,
    path text NOT NULL,
    parent_id uuid,
    version integer NOT NULL,
    title text NOT NULL,
    published_at timestamptz NOT NULL,
    first_published_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    is_sticky boolean NOT NULL DEFAULT false,
    menu_order integer NOT NULL DEFAULT 0,
    author_ids uuid[] NOT NULL DEFAULT '{}',
    category_ids uuid[] NOT NULL DEFAULT '{}',
    tag_ids uuid[] NOT NULL DEFAULT '{}',
    cover_id uuid,
    -- fields of the content that are public and are no relation: excerpt, body, format, seo …
    fields jsonb NOT NULL,
    CONSTRAINT uq_publications_path UNIQUE (type, locale, path)
);
CREATE INDEX ix_publications_published_at ON cms.publications (type, published_at, document_id);
CREATE INDEX ix_publications_updated_at ON cms.publications (type, updated_at, document_id);
CREATE INDEX ix_publications_title ON cms.publications (type, title, document_id);
CREATE INDEX ix_publications_parent_id ON cms.publications (parent_id) WHERE parent_id IS NOT NULL;

CREATE TABLE cms.links (
    document_id uuid NOT NULL
        CONSTRAINT fk_links_document_id_documents REFERENCES cms.documents ON DELETE CASCADE,
    is_live boolean NOT NULL,
    field text NOT NULL,
    position integer NOT NULL,
    target_kind text NOT NULL,
    target_id uuid NOT NULL,
    CONSTRAINT pk_links PRIMARY KEY (document_id, is_live, field, position)
);
CREATE INDEX ix_links_target_id ON cms.links (target_id, is_live, field, document_id);

CREATE TABLE cms.import_sources (
    source text NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    target_id uuid NOT NULL,
    hash bytea NOT NULL,
    target_version integer NOT NULL,
    imported_at timestamptz NOT NULL,
    CONSTRAINT pk_import_sources PRIMARY KEY (source, kind, key)
);
"""


def upgrade() -> None:
    """Create the schema of the cms domain."""
    op.execute(UP)


def downgrade() -> None:
    """Drop the schema of the cms domain, with all content."""
    op.execute("DROP SCHEMA cms CASCADE")
