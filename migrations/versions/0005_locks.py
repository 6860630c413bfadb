"""Who edits and who looks: advisory locks, and presence."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

UP = """
-- At most one row for each document. One that has expired counts for nothing; housekeeping removes it.
CREATE TABLE cms.edit_locks (
    document_id uuid CONSTRAINT pk_edit_locks PRIMARY KEY
        CONSTRAINT fk_edit_locks_document_id_documents REFERENCES cms.documents ON DELETE CASCADE,
    user_id uuid NOT NULL,
    acquired_at timestamptz NOT NULL,
    refreshed_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX ix_edit_locks_expires_at ON cms.edit_locks (expires_at);

CREATE TABLE cms.presences (
    document_id uuid NOT NULL
        CONSTRAINT fk_presences_document_id_documents REFERENCES cms.documents ON DELETE CASCADE,
    user_id uuid NOT NULL,
    since timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT pk_presences PRIMARY KEY (document_id, user_id)
);
CREATE INDEX ix_presences_expires_at ON cms.presences (expires_at);
"""


def upgrade() -> None:
    """Create the tables of locks and presence."""
    op.execute(UP)


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP TABLE cms.presences; DROP TABLE cms.edit_locks")
