"""Live pages in the order in which they are listed."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

UP = """
CREATE INDEX ix_publications_pages ON cms.publications (menu_order, title, document_id) WHERE type = 'page'
"""


def upgrade() -> None:
    """Have an index for it."""
    op.execute(UP)


def downgrade() -> None:
    """Sort them each time."""
    op.execute("DROP INDEX cms.ix_publications_pages")
