"""Which live copies have an address on the site: those of posts and pages, and of content types with a path."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE cms.publications ADD COLUMN has_address boolean NOT NULL DEFAULT false;
UPDATE cms.publications SET has_address = true WHERE type IN ('post', 'page');
ALTER TABLE cms.publications ALTER COLUMN has_address DROP DEFAULT;
-- A post may have the path of a page, which comes first then. Whatever else has an address has it alone.
CREATE UNIQUE INDEX uq_publications_address ON cms.publications (locale, path)
    WHERE has_address AND type <> 'post';
CREATE UNIQUE INDEX uq_content_types_path ON cms.content_types ((definition->>'path'))
    WHERE definition->>'path' IS NOT NULL;
"""

DOWN = """
DROP INDEX cms.uq_content_types_path;
UPDATE cms.content_types SET definition = definition - 'path';
UPDATE cms.publications SET path = slug WHERE type NOT IN ('post', 'page');
DELETE FROM cms.redirects r USING cms.documents d WHERE d.id = r.document_id AND d.type NOT IN ('post', 'page');
ALTER TABLE cms.publications DROP COLUMN has_address;
"""


def upgrade() -> None:
    """Tell live copies whether they have an address."""
    op.execute(UP)


def downgrade() -> None:
    """Take the addresses of entries away, with the redirects that lead to them."""
    op.execute(DOWN)
