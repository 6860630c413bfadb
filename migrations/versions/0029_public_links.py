"""Links of fields that readers don't see, and titles that they, or not all editors, may see."""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

# The field that documents of each type go by, where not everybody may see it.
HIDDEN = """
    SELECT DISTINCT ON (t.key) t.key, f.field->>'visibility' AS visibility
    FROM cms.content_types t
    CROSS JOIN LATERAL jsonb_array_elements(t.definition->'fields') WITH ORDINALITY AS f (field, place)
    WHERE f.field->>'type' = 'text'
      AND coalesce(t.definition->>'title_field', f.field->>'key') = f.field->>'key'
    ORDER BY t.key, f.place"""
UP = f"""
ALTER TABLE cms.links ADD COLUMN is_public boolean NOT NULL DEFAULT true;
UPDATE cms.links l SET is_public = false
FROM cms.documents d, (
    SELECT t.key, jsonb_path_query(f.field, '$.**.id')#>>'{{}}' AS field
    FROM cms.content_types t CROSS JOIN LATERAL jsonb_array_elements(t.definition->'fields') AS f (field)
    WHERE f.field->>'visibility' IN ('internal', 'restricted')) hidden
WHERE d.id = l.document_id AND d.type = hidden.key AND l.field = hidden.field;
UPDATE cms.documents d SET title = d.slug
FROM ({HIDDEN}) t WHERE d.type = t.key AND t.visibility = 'restricted' AND d.title <> d.slug;
UPDATE cms.publications d SET title = d.slug, seo = jsonb_set(jsonb_set(d.seo,
    '{{og,title}}', to_jsonb(coalesce(nullif(d.fields->'seo'->'og'->>'title', ''),
        nullif(d.fields->'seo'->>'title', ''), d.slug))),
    '{{twitter,title}}', to_jsonb(coalesce(nullif(d.fields->'seo'->'twitter'->>'title', ''),
        nullif(d.fields->'seo'->'og'->>'title', ''), nullif(d.fields->'seo'->>'title', ''), d.slug)))
FROM ({HIDDEN}) t WHERE d.type = t.key AND t.visibility IN ('internal', 'restricted') AND d.title <> d.slug
"""


def upgrade() -> None:
    """Tell those links apart, and have documents go by their slugs there."""
    op.execute(UP)


def downgrade() -> None:
    """Tell them apart no more. Titles stay as they are until a document is saved."""
    op.execute("ALTER TABLE cms.links DROP COLUMN is_public")
