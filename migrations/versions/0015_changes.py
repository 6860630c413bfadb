"""What changed of what readers see: noted by triggers, and told to whoever listens."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# Each table, the function that notes what happened to it, and the name it goes by.
NOTED = (
    ("publications", "note_documents", ""),
    ("authors", "note_resources", "author"),
    ("terms", "note_terms", ""),
    ("media", "note_resources", "media"),
    ("menus", "note_resources", "menu"),
    ("menu_items", "note_menu_items", ""),
    ("redirects", "note_resources", "redirect"),
    ("site_settings", "note_settings", ""),
    ("reader_comments", "note_comments", ""),
    ("content_types", "note_types", ""),
)
TRIGGERS = "".join(
    f"CREATE TRIGGER {function}_on_{event.lower()} AFTER {event} ON cms.{table}"
    f" REFERENCING {kept} TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION cms.{function}('{name}');\n"
    for table, function, name in NOTED
    for event, kept in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD"))
)

UP = (
    """
-- The order of changes: whoever has read up to a position is told what came after it. A position is
-- a transaction and a number; it is final once no older transaction is under way. Rows are only ever
-- added, so that nobody waits for anybody; of several of one resource the last one counts, and those
-- before it are removed by and by.
CREATE TABLE cms.changes (
    number bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_changes PRIMARY KEY,
    xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
    resource text NOT NULL,
    id uuid NOT NULL,
    type text,
    locale text,
    is_deleted boolean NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT statement_timestamp()
);
CREATE INDEX ix_changes_position ON cms.changes (xact, number);
CREATE INDEX ix_changes_id ON cms.changes (id, resource, number);

-- Tells who listens which answers are out of date: those that carry one of the keys.
CREATE FUNCTION cms.tell(keys text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE part text;
BEGIN
    FOR part IN
        -- A payload has less than 8,000 bytes.
        SELECT string_agg(key, ',')
        FROM (SELECT key, (row_number() OVER () - 1) / 100 AS part FROM unnest(keys) key) numbered
        GROUP BY numbered.part
    LOOP
        PERFORM pg_notify('cms_changes', part);
    END LOOP;
END $$;

-- The keys of answers that a change puts out of date: caches drop them, networks in front purge them.
CREATE FUNCTION cms.change_keys(resource text, id uuid, type text) RETURNS text[] LANGUAGE sql IMMUTABLE
RETURN CASE resource
    WHEN 'document' THEN ARRAY[id::text, 'document:' || type, 'documents']
    WHEN 'comments' THEN ARRAY['comments:' || id]
    WHEN 'address' THEN ARRAY[id::text]
    ELSE ARRAY[id::text, CASE
        WHEN resource IN ('media', 'settings') THEN resource
        WHEN resource = 'category' THEN 'categories'
        ELSE resource || 's' END]
    END;

CREATE FUNCTION cms.tell_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM cms.tell(array_agg(DISTINCT key))
    FROM noted, unnest(cms.change_keys(noted.resource, noted.id, noted.type)) key HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE FUNCTION cms.note(kind text, ids uuid[], gone boolean) RETURNS void LANGUAGE sql AS $$
    INSERT INTO cms.changes (resource, id, is_deleted) SELECT kind, touched.id, gone FROM unnest(ids) touched(id);
$$;

CREATE FUNCTION cms.note_documents() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO cms.changes (resource, id, type, locale, is_deleted)
    SELECT 'document', document_id, type, locale, TG_OP = 'DELETE' FROM touched;
    RETURN NULL;
END $$;

CREATE FUNCTION cms.note_resources() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM cms.note(TG_ARGV[0], array_agg(id), TG_OP = 'DELETE') FROM touched HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE FUNCTION cms.note_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM cms.note(taxonomy, array_agg(id), TG_OP = 'DELETE') FROM touched GROUP BY taxonomy;
    RETURN NULL;
END $$;

-- Of a menu that goes with its items, the menu itself tells.
CREATE FUNCTION cms.note_menu_items() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM cms.note('menu', array_agg(DISTINCT m.id), false)
    FROM touched JOIN cms.menus m ON m.id = touched.menu_id HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE FUNCTION cms.note_settings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM cms.note('settings', ARRAY['3c1a9d52-6f0b-4c1e-8a57-0b2f4d6e9a10'::uuid], false);
    RETURN NULL;
END $$;

CREATE FUNCTION cms.note_comments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM cms.note('comments', array_agg(DISTINCT document_id), false) FROM touched HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE FUNCTION cms.note_types() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM cms.note('content-type', array_agg(id), TG_OP = 'DELETE') FROM touched HAVING count(*) > 0;
    RETURN NULL;
END $$;

INSERT INTO cms.changes (resource, id, type, locale, is_deleted, changed_at)
SELECT 'document', document_id, type, locale, false, updated_at FROM cms.publications
UNION ALL SELECT 'author', id, NULL, NULL, false, updated_at FROM cms.authors
UNION ALL SELECT taxonomy, id, NULL, NULL, false, updated_at FROM cms.terms
UNION ALL SELECT 'media', id, NULL, NULL, false, updated_at FROM cms.media;

CREATE TRIGGER tell_changes AFTER INSERT ON cms.changes
    REFERENCING NEW TABLE AS noted FOR EACH STATEMENT EXECUTE FUNCTION cms.tell_changes();
"""
    + TRIGGERS
)

FUNCTIONS = sorted({function for _, function, _ in NOTED})
DOWN = (
    "".join(
        f"DROP TRIGGER {function}_on_{event} ON cms.{table};\n"
        for table, function, _ in NOTED
        for event in ("insert", "update", "delete")
    )
    + "".join(f"DROP FUNCTION cms.{function}();\n" for function in FUNCTIONS)
    + """
DROP FUNCTION cms.note(text, uuid[], boolean);
DROP TABLE cms.changes;
DROP FUNCTION cms.tell_changes();
DROP FUNCTION cms.change_keys(text, uuid, text);
DROP FUNCTION cms.tell(text[]);
"""
)


def upgrade() -> None:
    """Make the table, note what there is, and begin to listen to the other tables."""
    op.execute(UP)


def downgrade() -> None:
    """Drop all of it."""
    op.execute(DOWN)
