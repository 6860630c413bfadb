"""Live posts, as feeds tell of them."""

from collections.abc import Sequence
from functools import lru_cache
from uuid import UUID

import msgspec

from cms_api.adapters.sqlalchemy.cms.delivery import object_of
from cms_api.adapters.sqlalchemy.cms.sources import moment
from cms_api.adapters.sqlalchemy.cms.urls import (
    IS_PUBLIC_AUTHOR,
    file_url,
    mentioned_addresses,
    mentioned_ids,
    page_url,
    site_path,
)
from cms_api.adapters.sqlalchemy.reading import Reader
from cms_api.domains.cms.documents.addresses import addressed
from cms_api.domains.cms.feeds.interface import Position, Scope, Subject
from cms_api.domains.cms.feeds.ports import FeedQueries, PostRow
from cms_api.domains.cms.taxonomies.model import Taxonomy

_FIELDS = {"category": "categories", "tag": "tags", "author": "authors"}


def _term(taxonomy: Taxonomy) -> str:
    return f"""
        SELECT t.id, t.slug, t.name, t.description, {site_path(taxonomy, "t.slug")} FROM cms.terms t
        WHERE t.id = coalesce(
            (SELECT id FROM cms.terms WHERE taxonomy = '{taxonomy}' AND slug = %(slug)s),
            (SELECT term_id FROM cms.former_slugs WHERE kind = '{taxonomy}' AND slug = %(slug)s))"""


# By the slug of the moment, or else by a former one.
_SUBJECTS: dict[Scope, str] = {
    "author": f"""
        SELECT a.id, a.slug, a.name, a.bio, {site_path("author", "a.slug")} FROM cms.authors a
        WHERE {IS_PUBLIC_AUTHOR} AND a.id = coalesce(
            (SELECT id FROM cms.authors WHERE slug = %(slug)s),
            (SELECT author_id FROM cms.former_slugs WHERE kind = 'author' AND slug = %(slug)s))""",
    "category": _term("category"),
    "tag": _term("tag"),
}
_TERM_IDS = "p.category_ids || p.tag_ids"
_AUTHOR = object_of({"name": "a.name", "url": site_path("author", "a.slug")})
_COVER = object_of({"url": file_url("m"), "media_type": "m.media_type", "size": "m.size", "alt": "m.alt"})
_POST = {
    "id": "p.document_id",
    "url": page_url("p"),
    "title": "p.title",
    "excerpt": "coalesce(p.fields->>'excerpt', '')",
    "published_at": moment("p.published_at"),
    "updated_at": moment("p.updated_at"),
    "touched_at": moment(
        f"greatest(p.updated_at, (SELECT max(a.updated_at) FROM cms.authors a WHERE a.id = ANY (p.author_ids)),"
        f" (SELECT max(t.updated_at) FROM cms.terms t WHERE t.id = ANY ({_TERM_IDS})),"
        f" (SELECT m.updated_at FROM cms.media m WHERE m.id = p.cover_id))"
    ),
    "authors": f"(SELECT coalesce(json_agg({_AUTHOR} ORDER BY x.n), '[]')"
    " FROM unnest(p.author_ids) WITH ORDINALITY x(id, n) JOIN cms.authors a ON a.id = x.id)",
    "terms": "(SELECT coalesce(json_agg(t.name ORDER BY x.n), '[]')"
    f" FROM unnest({_TERM_IDS}) WITH ORDINALITY x(id, n) JOIN cms.terms t ON t.id = x.id)",
    "cover": f"(SELECT {_COVER} FROM cms.media m WHERE m.id = p.cover_id)",
    "used": f"to_json(ARRAY[p.document_id] || p.author_ids || {_TERM_IDS} || array_remove(ARRAY[p.cover_id], NULL)"
    f" || {mentioned_ids()})",
}


@lru_cache(maxsize=16)
def _statement(scope: Scope | None, *, is_first: bool, with_bodies: bool) -> str:
    fields = {**_POST, "body": "p.fields->>'body'"} if with_bodies else _POST
    where = ["p.type = 'post'", "p.locale = %(locale)s"]
    if scope is not None:
        where.append(
            "EXISTS (SELECT FROM cms.links l WHERE l.document_id = p.document_id AND l.is_live"
            f" AND l.field = '{_FIELDS[scope]}' AND l.target_id = %(subject)s)"
        )
    if not is_first:
        where.append("(p.published_at, p.document_id) < (%(at)s::timestamptz, %(id)s::uuid)")
    addresses = mentioned_addresses() if with_bodies else "NULL"
    return (
        f"SELECT {object_of(fields)}::text, {addresses}\nFROM cms.publications p\nWHERE {' AND '.join(where)}\n"
        "ORDER BY p.published_at DESC, p.document_id DESC LIMIT %(limit)s"
    )


class SqlFeeds(FeedQueries):
    """Reads of ``cms.publications``."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def subject(self, scope: Scope, slug: str) -> Subject | None:
        row = await self._reader.one(_SUBJECTS[scope], {"slug": slug})
        if row is None:
            return None
        return Subject(**dict(zip(Subject.__struct_fields__, row, strict=True)))

    async def posts(
        self,
        scope: Scope | None,
        subject: UUID | None,
        *,
        locale: str,
        after: Position | None,
        limit: int,
        with_bodies: bool,
    ) -> Sequence[PostRow]:
        params: dict[str, object] = {"locale": locale, "limit": limit, "subject": subject}
        if after is not None:
            params |= {"at": after.published_at, "id": after.id}
        sql = _statement(scope, is_first=after is None, with_bodies=with_bodies)
        return [
            msgspec.json.decode(json if known is None else addressed(json, known, "html"), type=PostRow)
            for json, known in await self._reader.rows(sql, params)
        ]
