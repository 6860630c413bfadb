"""Slugs that categories, tags and authors had: whoever follows their feeds is led on."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

UP = """
-- What had each slug last, and has another one by now. What gets such a slug takes it over for good.
CREATE TABLE cms.former_slugs (
    kind text NOT NULL CONSTRAINT ck_former_slugs_kind CHECK (kind IN ('category', 'tag', 'author')),
    slug text NOT NULL,
    term_id uuid,
    author_id uuid CONSTRAINT fk_former_slugs_author_id_authors REFERENCES cms.authors ON DELETE CASCADE,
    CONSTRAINT pk_former_slugs PRIMARY KEY (kind, slug),
    CONSTRAINT fk_former_slugs_term_id_terms FOREIGN KEY (kind, term_id)
        REFERENCES cms.terms (taxonomy, id) ON DELETE CASCADE,
    CONSTRAINT ck_former_slugs_whose CHECK (CASE kind
        WHEN 'author' THEN author_id IS NOT NULL AND term_id IS NULL
        ELSE term_id IS NOT NULL AND author_id IS NULL END)
);
-- For deletions, which take the slugs along.
CREATE INDEX ix_former_slugs_term_id ON cms.former_slugs (term_id) WHERE term_id IS NOT NULL;
CREATE INDEX ix_former_slugs_author_id ON cms.former_slugs (author_id) WHERE author_id IS NOT NULL;
"""


def upgrade() -> None:
    """Make the table, empty: nothing tells which slugs there were before."""
    op.execute(UP)


def downgrade() -> None:
    """Forget them."""
    op.execute("DROP TABLE cms.former_slugs")
