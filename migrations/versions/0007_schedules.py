"""Schedules: publishing and unpublishing at a time."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE cms.schedules (
    id uuid CONSTRAINT pk_schedules PRIMARY KEY,
    document_id uuid NOT NULL
        CONSTRAINT fk_schedules_document_id_documents REFERENCES cms.documents ON DELETE CASCADE,
    type text NOT NULL,
    action text NOT NULL CONSTRAINT ck_schedules_action CHECK (action IN ('publish', 'unpublish')),
    revision_id uuid,
    -- what was meant: the time that clocks in the zone show; due_at is worked out of it
    local_at timestamp NOT NULL,
    timezone text NOT NULL,
    due_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'pending'
        CONSTRAINT ck_schedules_state CHECK (state IN ('pending', 'done', 'failed', 'cancelled')),
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    lateness double precision,
    error_code text,
    error_detail text,
    created_by uuid,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    finished_at timestamptz,
    version integer NOT NULL DEFAULT 1,
    -- a revision that a pending schedule names is kept; a schedule that is over may outlive it
    CONSTRAINT fk_schedules_revision FOREIGN KEY (document_id, revision_id)
        REFERENCES cms.revisions (document_id, id) ON DELETE SET NULL (revision_id),
    CONSTRAINT ck_schedules_only_publishing_takes_a_revision CHECK (revision_id IS NULL OR action = 'publish'),
    CONSTRAINT ck_schedules_pending_has_a_next_attempt CHECK ((state = 'pending') = (next_attempt_at IS NOT NULL))
);
-- What is due next, and which is the first of a document: all that a claim looks at.
CREATE INDEX ix_schedules_claims ON cms.schedules (next_attempt_at, id) WHERE state = 'pending';
CREATE INDEX ix_schedules_pending ON cms.schedules (document_id, due_at, id) WHERE state = 'pending';
CREATE INDEX ix_schedules_document_id ON cms.schedules (document_id, due_at, id);
CREATE INDEX ix_schedules_due_at ON cms.schedules (due_at, id);
CREATE INDEX ix_schedules_created_at ON cms.schedules (created_at, id);
"""


def upgrade() -> None:
    """Create the table of schedules."""
    op.execute(UP)


def downgrade() -> None:
    """Drop the table of schedules; nothing that is planned will happen."""
    op.execute("DROP TABLE cms.schedules")
