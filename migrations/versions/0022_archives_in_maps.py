"""Where categories, tags and authors are in sitemaps."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

UP = """
-- As for publications: parts of sitemaps are ranges of it.
ALTER TABLE cms.terms
    ADD COLUMN ordinal bigint NOT NULL GENERATED ALWAYS AS IDENTITY CONSTRAINT uq_terms_ordinal UNIQUE;
ALTER TABLE cms.authors
    ADD COLUMN ordinal bigint NOT NULL GENERATED ALWAYS AS IDENTITY CONSTRAINT uq_authors_ordinal UNIQUE;
"""


def upgrade() -> None:
    """Number what is there, and what comes."""
    op.execute(UP)


def downgrade() -> None:
    """Forget the numbers."""
    op.execute("ALTER TABLE cms.authors DROP COLUMN ordinal; ALTER TABLE cms.terms DROP COLUMN ordinal")
