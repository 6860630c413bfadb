"""Live links in the order of lists: the newest documents under a tag without looking at all of them."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

UP = """
-- What lists go by, of the live copy: only of live links.
ALTER TABLE cms.links ADD COLUMN type text, ADD COLUMN published_at timestamptz;
UPDATE cms.links l SET type = p.type, published_at = p.published_at
FROM cms.publications p WHERE p.document_id = l.document_id AND l.is_live;
CREATE INDEX ix_links_listed ON cms.links (target_id, field, type, published_at, document_id) WHERE is_live;
"""

DOWN = """
DROP INDEX cms.ix_links_listed;
ALTER TABLE cms.links DROP COLUMN published_at, DROP COLUMN type;
"""


def upgrade() -> None:
    """Add the columns, fill and index them."""
    op.execute(UP)


def downgrade() -> None:
    """Drop them."""
    op.execute(DOWN)
