"""Menus, redirects, settings and readers' comments in the log of changes, each by its own id."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

# What a change of each resource puts out of date; the second form knows paths and single comments.
KEYS = """
CREATE OR REPLACE FUNCTION cms.change_keys(resource text, id uuid, type text) RETURNS text[]
LANGUAGE sql IMMUTABLE
RETURN CASE resource
    WHEN 'document' THEN ARRAY[id::text, 'document:' || type, 'documents']
    WHEN 'comments' THEN ARRAY['comments:' || id]
    WHEN 'address' THEN ARRAY[id::text]
    WHEN 'search' THEN ARRAY['search']
    {}ELSE ARRAY[id::text, CASE
        WHEN resource IN ('media', 'settings') THEN resource
        WHEN resource = 'category' THEN 'categories'
        ELSE resource || 's' END]
    END;
"""
KNOWN = """WHEN 'comment' THEN ARRAY[id::text]
    WHEN 'path' THEN ARRAY['redirects']
    """

RENEW = """
CREATE OR REPLACE FUNCTION cms.renew_epoch() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    is_known boolean;
BEGIN
    PERFORM FROM cms.change_epoch FOR UPDATE;
    -- What is yet to come is told by one look: between two of them others commit, and that is no other log.
    SELECT e.lineage = cms.change_lineage() AND NOT EXISTS (
        SELECT FROM cms.changes WHERE xact >= pg_snapshot_xmax(pg_current_snapshot()))
    INTO is_known FROM cms.change_epoch e;
    IF is_known THEN
        RETURN false;
    END IF;
    UPDATE cms.changes SET xact = pg_current_xact_id() WHERE xact >= pg_snapshot_xmax(pg_current_snapshot());
    UPDATE cms.change_epoch SET id = gen_random_uuid(), lineage = cms.change_lineage(), pruned = '0';
    RETURN true;
END $$;
"""
RENEW_BEFORE = """
CREATE OR REPLACE FUNCTION cms.renew_epoch() RETURNS boolean LANGUAGE plpgsql AS $$
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
"""

UP = """
-- A path by an id, so that the log can name it: what once led on from there may be gone by the time it is read.
CREATE FUNCTION cms.path_id(locale text, path text) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN md5(locale || ' ' || path)::uuid;
CREATE INDEX ix_redirects_target_path ON cms.redirects (cms.path_id(locale, target)) WHERE target IS NOT NULL;

-- Redirects to a path are led on by the automatic one from there, so they show where that leads.
CREATE FUNCTION cms.note_paths() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- As tombstones: nothing is told of a path itself, and these go in time.
    PERFORM cms.note('path', array_agg(DISTINCT cms.path_id(locale, source)), true)
    FROM touched WHERE is_automatic AND match = 'exact' HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER note_paths_on_insert AFTER INSERT ON cms.redirects
    REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION cms.note_paths();
CREATE TRIGGER note_paths_on_update AFTER UPDATE ON cms.redirects
    REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION cms.note_paths();
CREATE TRIGGER note_paths_before_update AFTER UPDATE ON cms.redirects
    REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION cms.note_paths();
CREATE TRIGGER note_paths_on_delete AFTER DELETE ON cms.redirects
    REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION cms.note_paths();

-- Only what is or was approved: whatever spam comes in, the log does not grow.
CREATE FUNCTION cms.note_single_comments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM cms.note('comment', array_agg(id), TG_OP = 'DELETE')
    FROM touched WHERE state = 'approved' HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER note_single_comments_on_insert AFTER INSERT ON cms.reader_comments
    REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION cms.note_single_comments();
CREATE TRIGGER note_single_comments_on_delete AFTER DELETE ON cms.reader_comments
    REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION cms.note_single_comments();
CREATE FUNCTION cms.note_changed_comments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO cms.changes (resource, id, is_deleted)
    SELECT 'comment', touched.id, touched.state <> 'approved' FROM touched JOIN former USING (id)
    WHERE 'approved' IN (touched.state, former.state)
      AND (touched.state, touched.author_name, touched.author_url, touched.body, touched.html, touched.is_staff)
        IS DISTINCT FROM
        (former.state, former.author_name, former.author_url, former.body, former.html, former.is_staff);
    RETURN NULL;
END $$;
CREATE TRIGGER note_changed_comments_on_update AFTER UPDATE ON cms.reader_comments
    REFERENCING OLD TABLE AS former NEW TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION cms.note_changed_comments();

-- A walk through everything finds what has a row. Those who follow from before hear of these once more.
INSERT INTO cms.changes (resource, id, is_deleted, changed_at)
SELECT known.resource, known.id, false, known.updated_at FROM (
    SELECT 'menu', id, updated_at FROM cms.menus
    UNION ALL SELECT 'redirect', id, updated_at FROM cms.redirects
    UNION ALL SELECT 'settings', '3c1a9d52-6f0b-4c1e-8a57-0b2f4d6e9a10'::uuid, updated_at FROM cms.site_settings
    UNION ALL SELECT 'comment', id, updated_at FROM cms.reader_comments WHERE state = 'approved'
    ) known(resource, id, updated_at)
WHERE NOT EXISTS (SELECT FROM cms.changes c WHERE c.id = known.id AND c.resource = known.resource);
"""

DOWN = """
DELETE FROM cms.changes WHERE resource IN ('comment', 'path');
DROP TRIGGER note_changed_comments_on_update ON cms.reader_comments;
DROP TRIGGER note_single_comments_on_insert ON cms.reader_comments;
DROP TRIGGER note_single_comments_on_delete ON cms.reader_comments;
DROP FUNCTION cms.note_changed_comments();
DROP FUNCTION cms.note_single_comments();
DROP TRIGGER note_paths_on_insert ON cms.redirects;
DROP TRIGGER note_paths_on_update ON cms.redirects;
DROP TRIGGER note_paths_before_update ON cms.redirects;
DROP TRIGGER note_paths_on_delete ON cms.redirects;
DROP FUNCTION cms.note_paths();
DROP INDEX cms.ix_redirects_target_path;
DROP FUNCTION cms.path_id(text, text);
"""


def upgrade() -> None:
    """Note what was missing, from now on and once for what there is."""
    op.execute(KEYS.format(KNOWN))
    op.execute(RENEW)
    op.execute(UP)


def downgrade() -> None:
    """Forget it; rows of menus, redirects and settings are in the log of before, too."""
    op.execute(DOWN)
    op.execute(RENEW_BEFORE)
    op.execute(KEYS.format(""))
