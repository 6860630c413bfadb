"""What search engines and previews are told, as expressions: what the document says, then what the site says.

What the document alone decides is in the live copy already, see `documents.seo`.
"""

from cms_api.adapters.sqlalchemy.cms.urls import base_url, page_url, spelt_path, whole_file_url
from cms_api.adapters.sqlalchemy.reading import DEFAULT_LOCALE
from cms_api.domains.cms.site.events import SITE_ID

_BASE = "rtrim(s.data->>'base_url', '/')"
# Of what has no title, and nothing that stands in for it, the site's name is told.
_SITE = "coalesce(s.data->>'title', '')"
_OG_TITLE = f"coalesce(nullif(p.seo->'og'->>'title', ''), nullif(p.title, ''), {_SITE})"
_CARD_TITLE = f"coalesce(nullif(p.seo->'twitter'->>'title', ''), nullif(p.title, ''), {_SITE})"
_NAMED = "coalesce(nullif(p.title, ''), nullif(p.seo->'og'->>'title', ''))"
_TITLE = f"""coalesce(p.seo->>'title',
        replace(coalesce(s.data->'seo'->>'title_template', w.title), w.title, {_NAMED}), {_SITE})"""
_NOINDEX = "(coalesce((s.data->'seo'->>'noindex')::boolean, false) OR p.is_noindex)"
_IMAGE_ID = "coalesce((p.seo->'og'->>'image')::uuid, p.cover_id, s.image_id)"
_IMAGE_URL = whole_file_url("m", _BASE)
_CARD_ID = "(p.seo->'twitter'->>'image')::uuid"
_CARD_URL = f"(SELECT {whole_file_url('c', _BASE)} FROM cms.media c WHERE c.id = {_CARD_ID})"

# Search engines trust no list in which two languages are at one address: of those there is one, this one first.
_ALTERNATES = f"""CASE WHEN p.translation_group IS NULL THEN '[]' ELSE (
    SELECT coalesce(json_agg(json_build_object('locale', o.locale, 'url', o.url) ORDER BY o.locale), '[]') FROM (
        SELECT DISTINCT ON (a.url) q.locale, a.url
        FROM cms.publications q CROSS JOIN LATERAL (SELECT {page_url("q")} AS path) v
        CROSS JOIN LATERAL (SELECT {base_url("q.locale")} || {spelt_path("v.path")} AS url) a
        WHERE (q.translation_group = p.translation_group OR q.document_id = p.translation_group)
          AND a.url IS NOT NULL
        ORDER BY a.url, q.document_id <> p.document_id, q.locale <> %({DEFAULT_LOCALE})s, q.locale) o) END"""

# psycopg takes a percent sign for a placeholder, so the one of the template is spelt otherwise. OFFSET
# has the address worked out once for both that tell it.
SEO = f"""(SELECT row_to_json(_) FROM (
    SELECT {_TITLE} AS title,
        coalesce(p.seo->>'description', nullif(s.data->'seo'->>'description', '')) AS description,
        u.url AS canonical,
        {_NOINDEX} AS noindex,
        coalesce((p.seo->>'nofollow')::boolean, false) AS nofollow,
        (SELECT row_to_json(o) FROM (
            SELECT {_OG_TITLE} AS title,
                coalesce(p.seo->'og'->>'description', nullif(s.data->'seo'->>'description', '')) AS description,
                coalesce(p.seo->'og'->>'type', 'website') AS type,
                u.url,
                nullif(s.data->>'title', '') AS site_name,
                CASE WHEN m.id IS NULL THEN NULL ELSE json_build_object('url', {_IMAGE_URL}, 'alt', m.alt,
                    'width', m.width, 'height', m.height) END AS image) o) AS og,
        (SELECT row_to_json(o) FROM (
            SELECT coalesce(p.seo->'twitter'->>'card',
                    CASE WHEN coalesce(m.id, {_CARD_ID}) IS NULL THEN 'summary' ELSE 'summary_large_image' END) AS card,
                {_CARD_TITLE} AS title,
                coalesce(p.seo->'twitter'->>'description', nullif(s.data->'seo'->>'description', '')) AS description,
                CASE WHEN {_CARD_ID} IS NULL THEN {_IMAGE_URL} ELSE {_CARD_URL} END AS image,
                p.seo->'twitter'->>'creator' AS creator) o) AS twitter,
        {_ALTERNATES} AS alternates
    FROM cms.site_settings s
    CROSS JOIN (SELECT chr(37) || 's' AS title) w
    CROSS JOIN LATERAL (
        SELECT coalesce(p.seo->>'canonical', {base_url("p.locale")} || {spelt_path("v.path")}) AS url
        FROM (SELECT {page_url("p")} AS path) v OFFSET 0) u
    LEFT JOIN cms.media m ON m.id = {_IMAGE_ID}) _)"""

_IMAGES = f"ARRAY[(p.seo->'og'->>'image')::uuid, {_CARD_ID}, p.cover_id, s.image_id]"
# When the live copy was written last, by whatever: also one that moved with what is above it, or was rendered
# anew, neither of which is an edit (`updated_at`). The log keeps the last change of each.
DOCUMENT_CHANGED = """(SELECT c.changed_at FROM cms.changes c
    WHERE c.id = p.document_id AND c.resource = 'document' ORDER BY c.number DESC LIMIT 1)"""
# Whether all that wrote before what is seen to be written is committed too, or came to nothing: else a change
# with an earlier date than the last one may come yet.
_SETTLED = "NOT EXISTS (SELECT FROM cms.changes z WHERE z.xact >= pg_snapshot_xmin(pg_current_snapshot()))"
# When anything of it changed last, the document included; null where a date can't tell: a translation
# or a file that went has left none.
SEO_CHANGED = f"""CASE WHEN p.translation_group IS NULL AND {_SETTLED} THEN (
    SELECT CASE WHEN count(m.id) = count(i.id) THEN
        greatest(max(d.changed_at), max(s.updated_at), max(m.updated_at)) END
    FROM cms.site_settings s CROSS JOIN LATERAL {DOCUMENT_CHANGED} d
    LEFT JOIN LATERAL unnest({_IMAGES}) i(id) ON true
    LEFT JOIN cms.media m ON m.id = i.id) END"""

# The ids of what it is made of, beside the document.
SEO_USED = f"""array_remove(ARRAY['{SITE_ID}'::uuid, (p.seo->'og'->>'image')::uuid, {_CARD_ID}, p.cover_id,
    (SELECT image_id FROM cms.site_settings)], NULL)
    || CASE WHEN p.translation_group IS NOT NULL THEN ARRAY(
        SELECT q.document_id FROM cms.publications q
        WHERE q.translation_group = p.translation_group OR q.document_id = p.translation_group) END"""
