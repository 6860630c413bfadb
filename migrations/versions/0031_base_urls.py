"""Live copies by their paths, in whatever language: those of several languages may be at one address."""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index by which maps of the site tell what is at an address already."""
    op.execute(
        "CREATE INDEX ix_publications_path ON cms.publications (path) WHERE has_address AND NOT is_noindex"
    )


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP INDEX cms.ix_publications_path")
