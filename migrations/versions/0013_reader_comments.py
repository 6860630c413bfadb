"""What readers say below what is published."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE cms.reader_comments (
    id uuid CONSTRAINT pk_reader_comments PRIMARY KEY,
    version integer NOT NULL,
    document_id uuid NOT NULL
        CONSTRAINT fk_reader_comments_document_id_documents REFERENCES cms.documents ON DELETE CASCADE,
    parent_id uuid,
    -- from the thread's first comment down to this one
    path uuid[] NOT NULL,
    state text NOT NULL
        CONSTRAINT ck_reader_comments_state CHECK (state IN ('pending', 'approved', 'spam', 'trash')),
    state_before text,
    state_since timestamptz NOT NULL,
    reason text,
    author_name text,
    author_email text,
    author_url text,
    user_id uuid,
    is_staff boolean NOT NULL,
    body text NOT NULL,
    html text NOT NULL,
    client_hash bytea,
    words_hash bytea,
    moderated_at timestamptz,
    moderated_by uuid,
    erased_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT uq_reader_comments_document_id_id UNIQUE (document_id, id),
    CONSTRAINT fk_reader_comments_parent FOREIGN KEY (document_id, parent_id)
        REFERENCES cms.reader_comments (document_id, id) ON DELETE CASCADE,
    CONSTRAINT ck_reader_comments_path CHECK (path[cardinality(path)] = id AND cardinality(path) <= 6)
);
CREATE INDEX ix_reader_comments_path ON cms.reader_comments (document_id, path, id) WHERE state = 'approved';
CREATE INDEX ix_reader_comments_parent ON cms.reader_comments (document_id, parent_id)
    WHERE parent_id IS NOT NULL;
CREATE INDEX ix_reader_comments_created_at ON cms.reader_comments (created_at, id);
CREATE INDEX ix_reader_comments_state ON cms.reader_comments (state, created_at, id);
CREATE INDEX ix_reader_comments_state_since ON cms.reader_comments (state, state_since)
    WHERE state IN ('spam', 'trash');
CREATE INDEX ix_reader_comments_author_email ON cms.reader_comments (author_email)
    WHERE author_email IS NOT NULL;
CREATE INDEX ix_reader_comments_words_hash ON cms.reader_comments (words_hash) WHERE words_hash IS NOT NULL;
CREATE INDEX ix_reader_comments_client_hash ON cms.reader_comments (created_at) WHERE client_hash IS NOT NULL;

CREATE TABLE cms.comment_settings (
    document_id uuid CONSTRAINT pk_comment_settings PRIMARY KEY
        CONSTRAINT fk_comment_settings_document_id_documents REFERENCES cms.documents ON DELETE CASCADE,
    is_open boolean,
    closes_at timestamptz,
    version integer NOT NULL,
    updated_at timestamptz NOT NULL,
    updated_by uuid
);

CREATE TABLE cms.comment_defaults (
    is_only boolean DEFAULT true
        CONSTRAINT pk_comment_defaults PRIMARY KEY CONSTRAINT ck_comment_defaults_is_only CHECK (is_only),
    enabled boolean NOT NULL,
    types jsonb NOT NULL,
    closes_after_days integer,
    requires_moderation boolean NOT NULL,
    previously_approved boolean NOT NULL,
    max_links integer NOT NULL,
    blocked_words text[] NOT NULL,
    blocked_addresses text[] NOT NULL,
    blocked_networks text[] NOT NULL,
    spam_days integer,
    trash_days integer,
    version integer NOT NULL,
    updated_at timestamptz,
    updated_by uuid
);
INSERT INTO cms.comment_defaults (enabled, types, requires_moderation, previously_approved, max_links,
    blocked_words, blocked_addresses, blocked_networks, spam_days, trash_days, version)
VALUES (true, '{}', true, true, 2, '{}', '{}', '{}', 30, 30, 1);

-- Buckets of tokens. What is lost in a crash is a few tokens too many.
CREATE UNLOGGED TABLE cms.comment_rates (
    key bytea CONSTRAINT pk_comment_rates PRIMARY KEY,
    full_at timestamptz NOT NULL,
    is_taken boolean NOT NULL
);
CREATE INDEX ix_comment_rates_full_at ON cms.comment_rates (full_at);

INSERT INTO auth.role_permissions (role_key, permission)
SELECT role_key, permission FROM unnest(ARRAY['administrator', 'editor']) role_key,
    unnest(ARRAY['reader_comments:read', 'reader_comments:moderate', 'reader_comments:configure']) permission;
"""

DOWN = """
DELETE FROM auth.role_permissions
WHERE permission IN ('reader_comments:read', 'reader_comments:moderate', 'reader_comments:configure');
DROP TABLE cms.comment_rates;
DROP TABLE cms.comment_defaults;
DROP TABLE cms.comment_settings;
DROP TABLE cms.reader_comments;
"""


def upgrade() -> None:
    """Create the tables, with the rules that hold at first; roles get the permissions."""
    op.execute(UP)


def downgrade() -> None:
    """Drop them, and the permissions."""
    op.execute(DOWN)
