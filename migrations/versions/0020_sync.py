"""The log of changes is read by others: what was missing in it, and epochs."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

UP = """
CREATE OR REPLACE FUNCTION cms.note_documents() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO cms.changes (resource, id, type, locale, is_deleted)
    SELECT 'document', document_id, type, locale, TG_OP = 'DELETE' FROM touched;
    IF TG_OP <> 'UPDATE' THEN
        PERFORM cms.note('address', array_agg(DISTINCT place), TG_OP = 'DELETE')
        FROM touched, unnest(ARRAY[document_id, translation_group]) place WHERE place IS NOT NULL HAVING count(*) > 0;
    END IF;
    RETURN NULL;
END $$;

-- Whether and where documents are live is shown by others: by what points at them, and by translations.
CREATE FUNCTION cms.note_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM cms.note('address', array_agg(DISTINCT place), false)
    FROM touched JOIN former USING (document_id)
    CROSS JOIN LATERAL unnest(ARRAY[document_id, touched.translation_group, former.translation_group]) place
    WHERE (touched.path, touched.has_address, touched.translation_group)
        IS DISTINCT FROM (former.path, former.has_address, former.translation_group) AND place IS NOT NULL
    HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER note_moved_on_update AFTER UPDATE ON cms.publications
    REFERENCING OLD TABLE AS former NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION cms.note_moved();

CREATE OR REPLACE FUNCTION cms.note_resources() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM cms.note(TG_ARGV[0], array_agg(id), TG_OP = 'DELETE') FROM touched HAVING count(*) > 0;
    -- The site's own picture is told to previews of everything.
    IF TG_ARGV[0] = 'media' THEN
        PERFORM cms.note('settings', ARRAY['3c1a9d52-6f0b-4c1e-8a57-0b2f4d6e9a10'::uuid], false)
        FROM touched JOIN cms.site_settings s ON s.image_id = touched.id;
    END IF;
    RETURN NULL;
END $$;

-- Readers see an author once something live names her, and a file once something live shows it. So
-- both may come and go with links. Whether a link was the last one, two at once can't know of each
-- other; so each is noted.
CREATE FUNCTION cms.note_links() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM cms.note('author', array_agg(DISTINCT target_id), false)
    FROM touched WHERE is_live AND target_kind = 'author' HAVING count(*) > 0;
    PERFORM cms.note('media', array_agg(id), false) FROM (
        SELECT target_id FROM touched WHERE is_live AND target_kind = 'media'
        UNION SELECT a.avatar_id FROM touched JOIN cms.authors a ON a.id = touched.target_id
        WHERE touched.is_live AND touched.target_kind = 'author' AND a.avatar_id IS NOT NULL) shown(id)
    HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER note_links_on_insert AFTER INSERT ON cms.links
    REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION cms.note_links();
CREATE TRIGGER note_links_on_update AFTER UPDATE ON cms.links
    REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION cms.note_links();
CREATE TRIGGER note_links_before_update AFTER UPDATE ON cms.links
    REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION cms.note_links();
CREATE TRIGGER note_links_on_delete AFTER DELETE ON cms.links
    REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION cms.note_links();

CREATE FUNCTION cms.note_avatars() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM cms.note('media', array_agg(DISTINCT shown.id), false)
    FROM touched JOIN former USING (id)
    CROSS JOIN LATERAL (VALUES (former.avatar_id), (touched.avatar_id)) shown(id)
    WHERE touched.avatar_id IS DISTINCT FROM former.avatar_id AND shown.id IS NOT NULL HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER note_avatars_on_update AFTER UPDATE ON cms.authors
    REFERENCING OLD TABLE AS former NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION cms.note_avatars();

CREATE FUNCTION cms.note_site_files() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM cms.note('media', array_agg(DISTINCT shown.id), false)
    FROM touched JOIN former USING (id) CROSS JOIN LATERAL (VALUES (former.logo_id, touched.logo_id),
        (former.icon_id, touched.icon_id), (former.image_id, touched.image_id)) changed(before, after)
    CROSS JOIN LATERAL (VALUES (before), (after)) shown(id)
    WHERE before IS DISTINCT FROM after AND shown.id IS NOT NULL HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER note_site_files_on_update AFTER UPDATE ON cms.site_settings
    REFERENCING OLD TABLE AS former NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION cms.note_site_files();

-- Whoever reads on from a position must know that it is one of this log, and that nothing behind it
-- was removed. ``lineage`` is where the epoch began, ``pruned`` the last position without its tombstones.
CREATE TABLE cms.change_epoch (
    is_only boolean DEFAULT true
        CONSTRAINT pk_change_epoch PRIMARY KEY CONSTRAINT ck_change_epoch_is_only CHECK (is_only),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    lineage text NOT NULL,
    pruned xid8 NOT NULL DEFAULT '0'
);

-- Another cluster, another timeline (a copy that was taken back, or that took over), another database
-- or another table: positions from elsewhere mean nothing here.
CREATE FUNCTION cms.change_lineage() RETURNS text LANGUAGE sql STABLE
RETURN (SELECT system_identifier::text FROM pg_control_system())
    || '.' || left(pg_walfile_name(pg_current_wal_lsn()), 8)
    || '.' || (SELECT oid::text FROM pg_database WHERE datname = current_database())
    || '.' || 'cms.changes'::regclass::oid::text;

INSERT INTO cms.change_epoch (lineage) SELECT cms.change_lineage();

-- Begins a new epoch where the log has come from elsewhere. Its rows may carry transactions that are
-- yet to come here, and would never be final: they get this one, in their order.
CREATE FUNCTION cms.renew_epoch() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    known text;
    next xid8 := pg_snapshot_xmax(pg_current_snapshot());
BEGIN
    SELECT lineage INTO known FROM cms.change_epoch FOR UPDATE;
    IF known = cms.change_lineage() AND NOT EXISTS (SELECT FROM cms.changes WHERE xact >= next) THEN
        RETURN false;
    END IF;
    UPDATE cms.changes SET xact = pg_current_xact_id() WHERE xact >= next;
    UPDATE cms.change_epoch SET id = gen_random_uuid(), lineage = cms.change_lineage(), pruned = '0';
    RETURN true;
END $$;

-- Pages of a type's documents in the order of their ids, for when the type has changed.
CREATE INDEX ix_publications_type ON cms.publications (type, document_id);

INSERT INTO auth.role_permissions (role_key, permission) VALUES ('administrator', 'purges:read');
"""

DOWN = """
DELETE FROM auth.role_permissions WHERE permission = 'purges:read';
DROP INDEX cms.ix_publications_type;
DROP FUNCTION cms.renew_epoch();
DROP TABLE cms.change_epoch;
DROP FUNCTION cms.change_lineage();
DROP TRIGGER note_site_files_on_update ON cms.site_settings;
DROP TRIGGER note_avatars_on_update ON cms.authors;
DROP TRIGGER note_links_on_insert ON cms.links;
DROP TRIGGER note_links_on_update ON cms.links;
DROP TRIGGER note_links_before_update ON cms.links;
DROP TRIGGER note_links_on_delete ON cms.links;
DROP TRIGGER note_moved_on_update ON cms.publications;
DROP FUNCTION cms.note_site_files();
DROP FUNCTION cms.note_avatars();
DROP FUNCTION cms.note_links();
DROP FUNCTION cms.note_moved();

CREATE OR REPLACE FUNCTION cms.note_documents() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO cms.changes (resource, id, type, locale, is_deleted)
    SELECT 'document', document_id, type, locale, TG_OP = 'DELETE' FROM touched;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION cms.note_resources() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM cms.note(TG_ARGV[0], array_agg(id), TG_OP = 'DELETE') FROM touched HAVING count(*) > 0;
    RETURN NULL;
END $$;
"""


def upgrade() -> None:
    """Note what was missing, and begin the first epoch."""
    op.execute(UP)


def downgrade() -> None:
    """Put back how it was."""
    op.execute(DOWN)
