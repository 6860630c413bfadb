"""Workflows with their stages, and the tasks that come of moving documents."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE cms.workflows (
    type text CONSTRAINT pk_workflows PRIMARY KEY,
    is_enabled boolean NOT NULL,
    stages jsonb NOT NULL,
    transitions jsonb NOT NULL,
    version integer NOT NULL,
    updated_at timestamptz NOT NULL,
    updated_by uuid
);
INSERT INTO cms.workflows (type, is_enabled, stages, transitions, version, updated_at)
SELECT type, false,
    '[{"key": "draft", "name": "Draft", "may_publish": false},
      {"key": "in_review", "name": "In review", "may_publish": false},
      {"key": "approved", "name": "Approved", "may_publish": true}]',
    '[{"from": "draft", "to": "in_review", "roles": ["administrator", "author", "editor"]},
      {"from": "in_review", "to": "approved", "roles": ["administrator", "editor"]},
      {"from": "in_review", "to": "draft", "roles": ["administrator", "editor"]},
      {"from": "approved", "to": "draft", "roles": ["administrator", "editor"]}]',
    1, now()
FROM unnest(ARRAY['post', 'page']) type;

ALTER TABLE cms.documents ADD COLUMN stage text;
CREATE INDEX ix_documents_stage ON cms.documents (type, stage) WHERE stage IS NOT NULL;

CREATE TABLE cms.tasks (
    id uuid CONSTRAINT pk_tasks PRIMARY KEY,
    document_id uuid NOT NULL
        CONSTRAINT fk_tasks_document_id_documents REFERENCES cms.documents ON DELETE CASCADE,
    type text NOT NULL,
    stage text NOT NULL,
    assignee_id uuid,
    roles text[] NOT NULL,
    note text,
    state text NOT NULL CONSTRAINT ck_tasks_state CHECK (state IN ('open', 'done', 'cancelled')),
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    created_by uuid,
    submitted_by uuid,
    closed_at timestamptz,
    closed_by uuid
);
CREATE UNIQUE INDEX uq_tasks_open ON cms.tasks (document_id) WHERE state = 'open';
CREATE INDEX ix_tasks_document_id ON cms.tasks (document_id);
CREATE INDEX ix_tasks_created_at ON cms.tasks (state, created_at, id);

INSERT INTO auth.role_permissions (role_key, permission) VALUES
    ('administrator', 'workflows:write'), ('administrator', 'tasks:read_all'), ('editor', 'tasks:read_all');
"""

DOWN = """
DELETE FROM auth.role_permissions WHERE permission IN ('workflows:write', 'tasks:read_all');
DROP TABLE cms.tasks;
ALTER TABLE cms.documents DROP COLUMN stage;
DROP TABLE cms.workflows;
"""


def upgrade() -> None:
    """Make the tables, with workflows that are off."""
    op.execute(UP)


def downgrade() -> None:
    """Drop them, and where documents stood."""
    op.execute(DOWN)
