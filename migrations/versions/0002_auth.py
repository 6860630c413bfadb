"""Users, roles and sessions."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UP = """
CREATE SCHEMA auth;

CREATE TABLE auth.users (
    id uuid CONSTRAINT pk_users PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    email text NOT NULL,
    name text NOT NULL,
    password_hash text NOT NULL,
    is_active boolean NOT NULL DEFAULT true,
    last_login_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT uq_users_email UNIQUE (email)
);
CREATE INDEX ix_users_created_at ON auth.users (created_at, id);
CREATE INDEX ix_users_name ON auth.users (name, id);

CREATE TABLE auth.roles (
    key text CONSTRAINT pk_roles PRIMARY KEY,
    name text NOT NULL,
    description text NOT NULL
);

CREATE TABLE auth.role_permissions (
    role_key text NOT NULL CONSTRAINT fk_role_permissions_role_key_roles REFERENCES auth.roles ON DELETE CASCADE,
    permission text NOT NULL,
    CONSTRAINT pk_role_permissions PRIMARY KEY (role_key, permission)
);

CREATE TABLE auth.user_roles (
    user_id uuid NOT NULL CONSTRAINT fk_user_roles_user_id_users REFERENCES auth.users ON DELETE CASCADE,
    role_key text NOT NULL CONSTRAINT fk_user_roles_role_key_roles REFERENCES auth.roles,
    CONSTRAINT pk_user_roles PRIMARY KEY (user_id, role_key)
);
CREATE INDEX ix_user_roles_role_key ON auth.user_roles (role_key);

-- A session is a family of refresh tokens: each use replaces the token, the session stays.
CREATE TABLE auth.sessions (
    id uuid CONSTRAINT pk_sessions PRIMARY KEY,
    user_id uuid NOT NULL CONSTRAINT fk_sessions_user_id_users REFERENCES auth.users ON DELETE CASCADE,
    user_agent text,
    ip text,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX ix_sessions_user_id ON auth.sessions (user_id, created_at, id);
CREATE INDEX ix_sessions_expires_at ON auth.sessions (expires_at);

CREATE TABLE auth.refresh_tokens (
    digest bytea CONSTRAINT pk_refresh_tokens PRIMARY KEY,
    session_id uuid NOT NULL
        CONSTRAINT fk_refresh_tokens_session_id_sessions REFERENCES auth.sessions ON DELETE CASCADE,
    issued_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX ix_refresh_tokens_session_id ON auth.refresh_tokens (session_id);

INSERT INTO auth.roles (key, name, description) VALUES
    ('administrator', 'Administrator', 'May do everything.'),
    ('editor', 'Editor', 'Writes, publishes and deletes all content.'),
    ('author', 'Author', 'Writes and publishes documents of their own.'),
    ('reader', 'Reader', 'Reads drafts, changes nothing.');

INSERT INTO auth.role_permissions (role_key, permission)
SELECT 'administrator', unnest(ARRAY[
    'documents:read', 'documents:create', 'documents:edit_own', 'documents:edit', 'documents:publish_own',
    'documents:publish', 'documents:delete_own', 'documents:delete', 'authors:write', 'terms:write',
    'media:upload', 'media:edit', 'imports:run', 'users:read', 'users:write', 'roles:read'])
UNION ALL SELECT 'editor', unnest(ARRAY[
    'documents:read', 'documents:create', 'documents:edit_own', 'documents:edit', 'documents:publish_own',
    'documents:publish', 'documents:delete_own', 'documents:delete', 'authors:write', 'terms:write',
    'media:upload', 'media:edit', 'users:read', 'roles:read'])
UNION ALL SELECT 'author', unnest(ARRAY[
    'documents:read', 'documents:create', 'documents:edit_own', 'documents:publish_own',
    'documents:delete_own', 'media:upload'])
UNION ALL SELECT 'reader', unnest(ARRAY['documents:read']);
"""


def upgrade() -> None:
    """Create the schema of the auth domain, with its roles."""
    op.execute(UP)


def downgrade() -> None:
    """Drop the schema of the auth domain, with all users."""
    op.execute("DROP SCHEMA auth CASCADE")
