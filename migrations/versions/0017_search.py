"""Full-text search over live copies."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

UP = """
-- What of a live copy is searched. `text` is plain and what snippets are made of.
CREATE TABLE cms.search (
    document_id uuid CONSTRAINT pk_search PRIMARY KEY
        CONSTRAINT fk_search_document_id_publications REFERENCES cms.publications ON DELETE CASCADE,
    type text NOT NULL,
    locale text NOT NULL,
    published_at timestamptz NOT NULL,
    title text NOT NULL,
    text text NOT NULL,
    words tsvector NOT NULL
);
-- Rows are looked through by their words: those stay in the row, and as they are where there is room.
ALTER TABLE cms.search ALTER COLUMN words SET STORAGE MAIN;
CREATE INDEX ix_search_words ON cms.search USING gin (words);
-- The newest hits of words that nearly all documents have.
CREATE INDEX ix_search_published_at ON cms.search (locale, published_at, document_id);

-- Words as they are written, for those that are misspelt. Some may be in no document any more.
CREATE TABLE cms.search_words (
    language text NOT NULL,
    word text NOT NULL,
    CONSTRAINT pk_search_words PRIMARY KEY (language, word)
);
-- Documents whose words are still to be learnt. Without a key by document, so that nobody waits for another.
CREATE TABLE cms.search_queue (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_search_queue PRIMARY KEY,
    document_id uuid NOT NULL
);
INSERT INTO cms.search_queue (document_id) SELECT document_id FROM cms.publications ORDER BY published_at DESC;
"""

# Extensions, where they are there or can be had; `cms.search_extensions` set to `off` does without.
EXTENSIONS = """
DO $do$
DECLARE wanted text;
BEGIN
    IF coalesce(current_setting('cms.search_extensions', true), '') = 'off' THEN
        RETURN;
    END IF;
    FOREACH wanted IN ARRAY ARRAY['unaccent', 'pg_trgm'] LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_extension WHERE extname = wanted)
            OR NOT EXISTS (SELECT FROM pg_available_extensions WHERE name = wanted);
        BEGIN
            EXECUTE format('CREATE EXTENSION %I WITH SCHEMA cms', wanted);
        EXCEPTION WHEN OTHERS THEN
            -- Servers refuse in ways of their own; search does without.
            RAISE NOTICE 'The extension % is not to be had: %', wanted, SQLERRM;
        END;
    END LOOP;
END
$do$
"""

CONFIGURATIONS = """
DO $do$
DECLARE
    language text;
    home text := (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
        WHERE e.extname = 'unaccent' AND coalesce(current_setting('cms.search_extensions', true), '') <> 'off');
BEGIN
    FOREACH language IN ARRAY ARRAY['simple', 'arabic', 'armenian', 'basque', 'catalan', 'danish', 'dutch', 'english',
        'finnish', 'french', 'german', 'greek', 'hindi', 'hungarian', 'indonesian', 'irish', 'italian', 'lithuanian',
        'nepali', 'norwegian', 'portuguese', 'romanian', 'russian', 'serbian', 'spanish', 'swedish', 'tamil',
        'turkish', 'yiddish']
    LOOP
        EXECUTE format('CREATE TEXT SEARCH CONFIGURATION cms.%I (COPY = pg_catalog.%I)', language, language);
        IF home IS NOT NULL THEN
            EXECUTE format('ALTER TEXT SEARCH CONFIGURATION cms.%I ALTER MAPPING FOR hword, hword_part, word '
                'WITH %I.unaccent, pg_catalog.%I', language, home,
                CASE language WHEN 'simple' THEN 'simple' ELSE language || '_stem' END);
        END IF;
    END LOOP;
END
$do$
"""

# Words that look like one, the most alike first; none without the extension.
SIMILAR = """
DO $do$
DECLARE
    home text := (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
        WHERE e.extname = 'pg_trgm' AND coalesce(current_setting('cms.search_extensions', true), '') <> 'off');
BEGIN
    IF home IS NULL THEN
        CREATE FUNCTION cms.similar_words(spoken text, wanted text) RETURNS SETOF text
            LANGUAGE sql IMMUTABLE AS 'SELECT NULL::text WHERE false';
        RETURN;
    END IF;
    EXECUTE format('CREATE INDEX ix_search_words_word ON cms.search_words USING gin (word %I.gin_trgm_ops)', home);
    -- Two letters that changed places leave little in common: the default threshold is 0.3.
    EXECUTE format('CREATE FUNCTION cms.similar_words(spoken text, wanted text) RETURNS SETOF text '
        'LANGUAGE sql STABLE SET pg_trgm.similarity_threshold = 0.2 AS $fn$'
        'SELECT w.word FROM cms.search_words w WHERE w.language = $1 AND w.word OPERATOR(%1$I.%%) $2 '
        'ORDER BY %1$I.similarity(w.word, $2) DESC, w.word LIMIT 20 $fn$', home);
END
$do$
"""

DOWN = """
DROP FUNCTION cms.similar_words(text, text);
DROP TABLE cms.search_queue;
DROP TABLE cms.search_words;
DROP TABLE cms.search;
DO $do$
DECLARE name text;
BEGIN
    FOR name IN SELECT c.cfgname FROM pg_ts_config c WHERE c.cfgnamespace = 'cms'::regnamespace LOOP
        EXECUTE format('DROP TEXT SEARCH CONFIGURATION cms.%I', name);
    END LOOP;
    FOR name IN SELECT e.extname FROM pg_extension e
        WHERE e.extnamespace = 'cms'::regnamespace AND e.extname IN ('unaccent', 'pg_trgm')
    LOOP
        EXECUTE format('DROP EXTENSION %I', name);
    END LOOP;
END
$do$;
"""


def upgrade() -> None:
    """Create the tables of search, and a configuration for each language; documents are read in later."""
    for statement in (UP, EXTENSIONS, CONFIGURATIONS, SIMILAR):
        op.execute(statement)


def downgrade() -> None:
    """Drop them, with the extensions that were made for them."""
    op.execute(DOWN)
