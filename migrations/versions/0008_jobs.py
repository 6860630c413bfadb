"""Jobs, and the tables of the queue's library."""

from alembic import op

from cms_api.adapters.jobs import schema

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

UP = """
CREATE SCHEMA jobs;

CREATE TABLE jobs.jobs (
    id uuid CONSTRAINT pk_jobs PRIMARY KEY,
    version integer NOT NULL,
    kind text NOT NULL,
    params jsonb NOT NULL,
    state text NOT NULL
        CONSTRAINT ck_jobs_state CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    total integer,
    done integer NOT NULL,
    -- where the next step goes on; the handler's own affair
    cursor jsonb,
    result jsonb,
    error jsonb,
    attempts integer NOT NULL,
    created_by uuid,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    CONSTRAINT ck_jobs_finished_at
        CHECK ((finished_at IS NOT NULL) = (state IN ('succeeded', 'failed', 'cancelled'))),
    CONSTRAINT ck_jobs_error CHECK ((error IS NOT NULL) = (state = 'failed'))
);
CREATE INDEX ix_jobs_created_at ON jobs.jobs (created_at, id);
CREATE INDEX ix_jobs_created_by ON jobs.jobs (created_by, created_at, id);
CREATE INDEX ix_jobs_finished_at ON jobs.jobs (finished_at) WHERE finished_at IS NOT NULL;

INSERT INTO auth.role_permissions (role_key, permission)
SELECT 'administrator', unnest(ARRAY['jobs:read', 'jobs:cancel']);
"""

DOWN = """
DELETE FROM auth.role_permissions WHERE permission IN ('jobs:read', 'jobs:cancel');
DROP SCHEMA jobs CASCADE;
DROP SCHEMA queue CASCADE;
"""


def upgrade() -> None:
    """Create the schema of the jobs domain, and that of the queue."""
    op.execute(UP)
    schema.install(op.get_bind())


def downgrade() -> None:
    """Drop both, with whatever waits in them."""
    op.execute(DOWN)
