"""Previews that can be listed and taken back."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE cms.previews (
    id uuid CONSTRAINT pk_previews PRIMARY KEY,
    -- In the order in which they were named. What is deleted meanwhile is just not found any more.
    documents uuid[] NOT NULL CONSTRAINT ck_previews_documents CHECK (cardinality(documents) > 0),
    created_by uuid,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT ck_previews_expires_at CHECK (expires_at > created_at)
);
CREATE INDEX ix_previews_created_at ON cms.previews (created_at, id);
CREATE INDEX ix_previews_created_by ON cms.previews (created_by, created_at, id);
CREATE INDEX ix_previews_expires_at ON cms.previews (expires_at, id);

INSERT INTO auth.role_permissions (role_key, permission) VALUES
    ('administrator', 'previews:manage'), ('editor', 'previews:manage');
"""

DOWN = """
DELETE FROM auth.role_permissions WHERE permission = 'previews:manage';
DROP TABLE cms.previews;
"""


def upgrade() -> None:
    """Make the table. Tokens that were given out before name none of its rows: they are refused."""
    op.execute(UP)


def downgrade() -> None:
    """Drop it: all previews end."""
    op.execute(DOWN)
