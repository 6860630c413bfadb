"""Where things are on the site, as expressions: paths from its root, so that they stay right when it moves."""

from cms_api.adapters.sqlalchemy.reading import SERVICE
from cms_api.domains.cms.documents.addresses import UNMARKED
from cms_api.domains.cms.documents.rendering import MARKED_SINCE
from cms_api.domains.cms.site.events import SITE_ID
from cms_api.domains.cms.site.interface import SitePaths

# Asked once a statement, however many rows want to know.
_HOME = "(SELECT home_page_id FROM cms.site_settings)"
IS_PUBLIC_AUTHOR = (
    "EXISTS (SELECT FROM cms.links l WHERE l.target_id = a.id AND l.is_live AND l.field = 'authors')"
)

# A file is, once something live shows it: a document, a byline, the site.
IS_PUBLIC_FILE = f"""(
    EXISTS (SELECT FROM cms.links l WHERE l.target_id = m.id AND l.is_live AND l.is_public)
    OR EXISTS (SELECT FROM cms.authors a WHERE a.avatar_id = m.id AND {IS_PUBLIC_AUTHOR})
    OR EXISTS (SELECT FROM cms.site_settings s WHERE m.id IN (s.logo_id, s.icon_id, s.image_id)))"""


def page_url(alias: str) -> str:
    """The path of a live copy; NULL where it has none."""
    return (
        f"CASE WHEN {alias}.document_id = {_HOME} THEN '/'"
        f" WHEN {alias}.has_address THEN '/' || {alias}.path END"
    )


def file_url(alias: str) -> str:
    """Where a file is: a path here, or its address elsewhere."""
    return f"coalesce('/media/' || {alias}.storage_key, {alias}.source_url)"


def base_url(locale: str) -> str:
    """Where readers find what is in a language, by the settings ``s``; NULL where they don't say."""
    return f"rtrim(coalesce(s.data->'base_urls'->>{locale}, s.data->>'base_url'), '/')"


# What no address has as it is (RFC 3986, section 2), of what one byte says.
_UNSAFE = ' "<>\\^`{|}'


def spelt(url: str) -> str:
    """An address in ASCII, as `documents.addresses.spelt` writes it: what else it has is percent-encoded."""
    return _spelt(
        url,
        is_plain=f"octet_length({url}) = length(translate({url}, '{_UNSAFE}', ''))",
        stays=f"octet_length(x.c) = 1 AND strpos('{_UNSAFE}', x.c) = 0",
    )


def spelt_path(path: str) -> str:
    """The same for a path, of which each word is a slug's: letters and digits of any script."""
    return _spelt(path, is_plain=f"octet_length({path}) = length({path})", stays="octet_length(x.c) = 1")


def _spelt(url: str, *, is_plain: str, stays: str) -> str:
    # Most are plain, which is told without looking at each character. The percent sign is spelt
    # otherwise, as psycopg takes it for a placeholder.
    encoded = "upper(regexp_replace(encode(convert_to(x.c, 'UTF8'), 'hex'), '(..)', chr(37) || '\\1', 'g'))"
    return (
        f"CASE WHEN {is_plain} THEN {url} ELSE ("
        f"SELECT string_agg(CASE WHEN {stays} THEN x.c ELSE {encoded} END, '' ORDER BY x.n)"
        f" FROM regexp_split_to_table({url}, '') WITH ORDINALITY x(c, n)) END"
    )


def whole_file_url(alias: str, base: str) -> str:
    """Where a file is, whole: below the address of this service, else below ``base``; a path where neither is known."""
    return (
        f"coalesce(coalesce(%({SERVICE})s::text, {base}, '') || '/media/' || {alias}.storage_key,"
        f" {spelt(f'{alias}.source_url')})"
    )


def site_path(kind: str, slug: str) -> str:
    """The path that the settings give to a post, or to what lists those of a category, a tag or an author."""
    pattern = getattr(SitePaths(), kind)
    return (
        f"replace(coalesce((SELECT data->'paths'->>'{kind}' FROM cms.site_settings), '{pattern}'),"
        f" '{{slug}}', {slug})"
    )


_CATEGORY, _TAG = site_path("category", "t.slug"), site_path("tag", "t.slug")
# Of the term `t`, and of the author `a`.
TERM_URL = f"CASE t.taxonomy WHEN 'category' THEN {_CATEGORY} ELSE {_TAG} END"
AUTHOR_URL = site_path("author", "a.slug")


def addresses_of(ids: str, *, locale: str, unmarked: str) -> str:
    """JSON of the current paths of ``ids``, an array: those that have one, whatever they are.

    What is in a language that readers find elsewhere than ``locale`` has its whole address. Where the condition
    ``unmarked`` holds, `UNMARKED` is among them.
    """
    base = base_url("q.locale")
    elsewhere = f"CASE WHEN {base} IS DISTINCT FROM {base_url(locale)} THEN {base} END"
    return f"""(SELECT coalesce(json_object_agg(x.id, x.url), '{{}}')::text FROM (
        SELECT q.document_id, coalesce({elsewhere}, '') || {page_url("q")}
        FROM cms.publications q CROSS JOIN cms.site_settings s
        WHERE q.document_id = ANY ({ids}) AND q.has_address
        UNION ALL SELECT m.id, {file_url("m")} FROM cms.media m WHERE m.id = ANY ({ids})
        UNION ALL SELECT t.id, {TERM_URL} FROM cms.terms t WHERE t.id = ANY ({ids})
        UNION ALL SELECT a.id, {AUTHOR_URL} FROM cms.authors a
        WHERE a.id = ANY ({ids})
        UNION ALL SELECT '{UNMARKED}'::uuid, '' WHERE {unmarked}) x(id, url))"""


def is_unmarked(alias: str) -> str:
    """Whether the texts of a live copy are from before addresses in them were marked."""
    return f"{alias}.rendering_version < {MARKED_SINCE}"


def mentioned_addresses(alias: str = "p") -> str:
    """The paths of what the texts of a live copy mention; NULL, and no work, where they mention nothing."""
    mentions = f"{alias}.mention_ids"
    found = addresses_of(mentions, locale=f"{alias}.locale", unmarked=is_unmarked(alias))
    return f"CASE WHEN cardinality({mentions}) > 0 THEN {found} END"


def mentioned_ids(alias: str = "p") -> str:
    """The ids of what such paths are made of, the settings of the site among them."""
    mentions = f"{alias}.mention_ids"
    return f"CASE WHEN cardinality({mentions}) > 0 THEN {mentions} || '{SITE_ID}'::uuid END"
