"""What editors search drafts by."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

UP = """
-- The words of a document's draft, of whatever language; `fields` are those of its type that they were taken from, by
-- their ids, so that nothing is found by what has become a secret since. A row is written with each new draft.
CREATE TABLE cms.draft_words (
    document_id uuid CONSTRAINT pk_draft_words PRIMARY KEY
        CONSTRAINT fk_draft_words_document_id_documents REFERENCES cms.documents ON DELETE CASCADE,
    revision_id uuid NOT NULL,
    fields text[] NOT NULL,
    words tsvector NOT NULL
);
CREATE INDEX ix_draft_words_words ON cms.draft_words USING gin (words);
-- Bodies are compressed, and come with the next save; until then drafts are found by what they are called.
INSERT INTO cms.draft_words (document_id, revision_id, fields, words)
SELECT d.id, d.draft_revision_id, '{}',
    to_tsvector('cms.simple', CASE WHEN d.type IN ('page', 'post') THEN d.title || ' ' ELSE '' END || d.slug)
FROM cms.documents d;
"""


def upgrade() -> None:
    """Create the table, with the titles and slugs of what is there."""
    op.execute(UP)


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP TABLE cms.draft_words")
