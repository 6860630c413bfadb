"""The event log."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

UP = """
CREATE SCHEMA activity;

-- ``xact`` tells a reader which events were not yet visible when it last looked: positions are
-- handed out before transactions commit, so ``position`` alone would lose the late ones.
CREATE TABLE activity.events (
    position bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_events PRIMARY KEY,
    id uuid NOT NULL CONSTRAINT uq_events_id UNIQUE,
    xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
    name text NOT NULL,
    subject uuid NOT NULL,
    actor uuid,
    payload jsonb NOT NULL,
    occurred_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_events_subject ON activity.events (subject, position);
"""


def upgrade() -> None:
    """Create the schema of the activity domain."""
    op.execute(UP)


def downgrade() -> None:
    """Drop the schema of the activity domain, with the log."""
    op.execute("DROP SCHEMA activity CASCADE")
