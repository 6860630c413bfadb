"""Changes of what searches find, among all others: for whom keeps answers in front of the server."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

# What a change of each resource puts out of date; the second form knows searches.
KEYS = """
CREATE OR REPLACE FUNCTION cms.change_keys(resource text, id uuid, type text) RETURNS text[]
LANGUAGE sql IMMUTABLE
RETURN CASE resource
    WHEN 'document' THEN ARRAY[id::text, 'document:' || type, 'documents']
    WHEN 'comments' THEN ARRAY['comments:' || id]
    WHEN 'address' THEN ARRAY[id::text]
    {}ELSE ARRAY[id::text, CASE
        WHEN resource IN ('media', 'settings') THEN resource
        WHEN resource = 'category' THEN 'categories'
        ELSE resource || 's' END]
    END
"""


def upgrade() -> None:
    """Know the changes of searches."""
    op.execute(KEYS.format("WHEN 'search' THEN ARRAY['search']\n    "))


def downgrade() -> None:
    """Forget them."""
    op.execute("DELETE FROM cms.changes WHERE resource = 'search'")
    op.execute(KEYS.format(""))
