"""What editors say to one another about documents."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE cms.editorial_comments (
    id uuid CONSTRAINT pk_editorial_comments PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    document_id uuid NOT NULL
        CONSTRAINT fk_editorial_comments_document_id_documents REFERENCES cms.documents ON DELETE CASCADE,
    parent_id uuid,
    field text,
    quote text,
    body text NOT NULL,
    author_id uuid NOT NULL,
    resolved_at timestamptz,
    resolved_by uuid,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT uq_editorial_comments_document_id_id UNIQUE (document_id, id),
    CONSTRAINT fk_editorial_comments_parent FOREIGN KEY (document_id, parent_id)
        REFERENCES cms.editorial_comments (document_id, id) ON DELETE CASCADE,
    CONSTRAINT ck_editorial_comments_only_threads_resolve CHECK (parent_id IS NULL OR resolved_at IS NULL)
);
CREATE INDEX ix_editorial_comments_created_at ON cms.editorial_comments (document_id, created_at, id);
CREATE INDEX ix_editorial_comments_parent ON cms.editorial_comments (document_id, parent_id)
    WHERE parent_id IS NOT NULL;

INSERT INTO auth.role_permissions (role_key, permission) VALUES
    ('administrator', 'comments:write'), ('administrator', 'comments:moderate'),
    ('editor', 'comments:write'), ('editor', 'comments:moderate'),
    ('author', 'comments:write');
"""


def upgrade() -> None:
    """Create the table of editorial comments; roles get the permissions."""
    op.execute(UP)


def downgrade() -> None:
    """Drop all comments, and the permissions."""
    op.execute("DROP TABLE cms.editorial_comments")
    op.execute(
        "DELETE FROM auth.role_permissions WHERE permission IN ('comments:write', 'comments:moderate')"
    )
