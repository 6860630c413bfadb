"""Lists that stay quick where there are many documents: by slug, by who began them, and what is not live."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

UP = """
CREATE INDEX ix_publications_slug ON cms.publications (type, slug);
CREATE INDEX ix_documents_slug ON cms.documents (type, slug);
CREATE INDEX ix_documents_created_by ON cms.documents (type, created_by, created_at, id);
-- Whatever is no published document is one of few, mostly.
CREATE INDEX ix_documents_live ON cms.documents (type, (live_revision_id IS NULL), created_at, id);
ANALYZE cms.documents;
"""

DOWN = """
DROP INDEX cms.ix_documents_live;
DROP INDEX cms.ix_documents_created_by;
DROP INDEX cms.ix_documents_slug;
DROP INDEX cms.ix_publications_slug;
"""


def upgrade() -> None:
    """Have indexes for them."""
    op.execute(UP)


def downgrade() -> None:
    """Look at all documents each time."""
    op.execute(DOWN)
