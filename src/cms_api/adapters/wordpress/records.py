"""What each element of a WXR file says."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element

from cms_api.adapters.wordpress.elements import COMMENT, POST_ID
from cms_api.adapters.wordpress.formatting import formatted, lines, plain
from cms_api.domains.cms.imports.source import (
    SourceAttachment,
    SourceAuthor,
    SourceComment,
    SourceCommentState,
    SourceDocument,
    SourceFault,
    SourceItem,
    SourceMenu,
    SourceMenuItem,
    SourceMenuTarget,
    SourceOther,
    SourceSite,
    SourceStatus,
    SourceTaxonomy,
    SourceTerm,
    SourceTermRef,
    SourceType,
    term_key,
)

_STATUSES: Final[Mapping[str, SourceStatus]] = {
    "publish": "published",
    "future": "scheduled",
    "draft": "draft",
    "auto-draft": "draft",
    "pending": "pending",
    "private": "private",
    "trash": "trashed",
}
_TAXONOMIES: Final[Mapping[str, SourceTaxonomy]] = {
    "category": "category",
    "post_tag": "tag",
    "tag": "tag",  # WXR 1.0
}
_TYPES: Final[Mapping[str, SourceType]] = {"post": "post", "page": "page"}
_STATES: Final[Mapping[str, SourceCommentState]] = {
    "1": "approved",
    "approve": "approved",
    "0": "pending",
    "hold": "pending",
    "spam": "spam",
    "trash": "trash",
    "post-trashed": "trash",
}
_PINGS: Final = frozenset({"pingback", "trackback"})
_MENUS: Final = "nav_menu"
_MENU_ITEM: Final = "_menu_item_"
_NOBODY: Final = "Anonymous"
"""Whom WordPress shows where somebody gave no name."""

_NUMBER = re.compile(r"[0-9]{1,20}")
_ORDER = re.compile(r"-?[0-9]{1,9}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
_FEED_YEAR = re.compile(r"\s\d{4}\s", re.ASCII)
_NO_DATE = ("0000-00-00", "-0001-11-30")
"""MySQL's way to say that there is none, and PHP's reading of it."""
_UNPRINTED = re.compile(r"[\x00-\x1f\x7f]|%[0-9a-fA-F]?\Z")
_TRASHED = "__trashed"
"""What WordPress puts after a slug to free it."""


class Broken(Exception):
    """An element that can't be taken, and why."""


def site_of(head: Mapping[str, str]) -> SourceSite | None:
    """The site, from the channel's own children; None where they name none."""
    url = head.get("wp:base_blog_url") or head.get("link") or head.get("wp:base_site_url")
    return SourceSite(url=url, title=plain(head.get("title", ""))) if url else None


def items_of(element: Element, line: int) -> Iterator[SourceItem]:
    """Everything that a child of the channel says, or the one fault that keeps it from being read."""
    try:
        yield from list(_READERS[element.tag](element))
    except Broken as broken:
        post_id = value(element, POST_ID) or element.get(POST_ID, "")
        where = f"post {post_id}, line {line}" if _NUMBER.fullmatch(post_id) else f"line {line}"
        yield SourceFault(where=where, reason=str(broken))


def text_of(element: Element) -> str:
    """All the text of an element, trimmed."""
    return "".join(element.itertext()).strip()


def value(element: Element, name: str) -> str:
    """The trimmed text of a child; empty where there is no such child."""
    return next((text_of(child) for child in _children(element, name)), "")


def _children(element: Element, name: str) -> Iterator[Element]:
    # Not `Element.iterfind`, to which a colon means something.
    return (child for child in element if child.tag == name)


def _author(element: Element) -> Iterator[SourceItem]:
    login = value(element, "wp:author_login")
    if not login:
        raise Broken("An author has no login.")
    names = (plain(value(element, f"wp:author_{part}_name")) for part in ("first", "last"))
    yield SourceAuthor(
        key=login,
        email=value(element, "wp:author_email") or None,
        name=plain(value(element, "wp:author_display_name")) or " ".join(filter(None, names)) or login,
    )


def _category(element: Element) -> Iterator[SourceItem]:
    yield _term(
        "category",
        slug=value(element, "wp:category_nicename"),
        name=value(element, "wp:cat_name"),
        parent=value(element, "wp:category_parent"),
        description=value(element, "wp:category_description"),
        number=value(element, "wp:term_id"),
    )


def _tag(element: Element) -> Iterator[SourceItem]:
    yield _term(
        "tag",
        slug=value(element, "wp:tag_slug"),
        name=value(element, "wp:tag_name"),
        description=value(element, "wp:tag_description"),
        number=value(element, "wp:term_id"),
    )


def _any_term(element: Element) -> Iterator[SourceItem]:
    kind, slug = value(element, "wp:term_taxonomy"), value(element, "wp:term_slug")
    if kind == _MENUS:
        yield _menu(slug, value(element, "wp:term_name"))
        return
    taxonomy = _TAXONOMIES.get(kind)
    if taxonomy is None:
        yield SourceOther(kind=f"term:{kind}", key=_slug(slug), reason="There is no such taxonomy here.")
        return
    yield _term(
        taxonomy,
        slug=slug,
        name=value(element, "wp:term_name"),
        parent=value(element, "wp:term_parent"),
        description=value(element, "wp:term_description"),
        number=value(element, "wp:term_id"),
    )


def _term(
    taxonomy: SourceTaxonomy, *, slug: str, name: str, number: str, parent: str = "", description: str = ""
) -> SourceTerm:
    slug = _slug(slug)
    if not slug:
        raise Broken(f"A {taxonomy} has no slug.")
    return SourceTerm(
        key=term_key(taxonomy, slug),
        taxonomy=taxonomy,
        name=plain(name) or slug,
        slug=slug,
        parent_slug=_slug(parent) or None,
        description=plain(description),
        number=_reference(number),
    )


def _menu(slug: str, name: str) -> SourceMenu:
    slug = _slug(slug)
    if not slug:
        raise Broken("A menu has no slug.")
    return SourceMenu(key=slug, name=plain(name) or slug)


def _item(element: Element) -> Iterator[SourceItem]:
    key, kind = value(element, POST_ID), value(element, "wp:post_type")
    if not key:
        raise Broken("An item has no post_id.")
    if not _NUMBER.fullmatch(key):
        raise Broken(f"An item has the post_id {_quoted(key)}, which is no number.")
    if not kind:
        raise Broken("An item has no post_type.")
    if kind == "attachment":
        yield _attachment(element, key)
    elif kind in _TYPES:
        yield _document(element, key, _TYPES[kind])
        yield from _unplaced_terms(element, key)
    elif kind == "nav_menu_item":
        yield from _menu_items(element, key)
    else:
        yield SourceOther(kind=f"type:{kind}", key=key, reason="There is no such content type here.")


def _menu_items(element: Element, key: str) -> Iterator[SourceItem]:
    """The item, once for each menu that it is in: one, unless somebody has made the file by hand."""
    meta = _meta(element)
    kind, name = meta.get(f"{_MENU_ITEM}type", ""), meta.get(f"{_MENU_ITEM}object", "")
    target: SourceMenuTarget | None = None
    if kind == "custom":
        target = "url"
    elif kind == "post_type":
        target = _TYPES.get(name)
    elif kind == "taxonomy":
        target = _TAXONOMIES.get(name)
    menus = [category for category in _children(element, "category") if category.get("domain") == _MENUS]
    if not menus:
        raise Broken("An item belongs to no menu.")
    for menu in (_menu(category.get("nicename", ""), text_of(category)) for category in menus):
        yield SourceMenuItem(
            key=key,
            menu_key=menu.key,
            menu_name=menu.name,
            parent_key=_reference(meta.get(f"{_MENU_ITEM}menu_item_parent", "")),
            order=_order(value(element, "wp:menu_order")),
            label=plain(value(element, "title")),
            title=plain(value(element, "excerpt:encoded")),
            target=target,
            target_kind=name if kind in {"post_type", "taxonomy"} else kind,
            target_key=meta.get(f"{_MENU_ITEM}{'url' if target == 'url' else 'object_id'}", ""),
            opens_in_new_tab=meta.get(f"{_MENU_ITEM}target") == "_blank",
            # WordPress keeps those that were never saved with their menu as drafts.
            is_shown=value(element, "wp:status") == "publish",
        )


def _document(element: Element, key: str, kind: SourceType) -> SourceDocument:
    given = value(element, "wp:status")
    status = _STATUSES.get(given)
    if status is None:
        raise Broken(f"An item has the status {_quoted(given)}, which is not known.")
    meta = _meta(element)
    date, modified = _date(element, "wp:post_date"), _date(element, "wp:post_modified")
    date = date or _published(element)
    was_live = status in {"published", "scheduled", "private"} or (
        status == "trashed" and meta.get("_wp_trash_meta_status") == "publish"
    )
    slug = _slug(value(element, "wp:post_name"))
    cover = meta.get("_thumbnail_id", "")
    return SourceDocument(
        key=key,
        type=kind,
        title=plain(value(element, "title")),
        slug=(slug.removesuffix(_TRASHED) if status == "trashed" else slug) or None,
        status=status,
        body=formatted(value(element, "content:encoded")),
        excerpt=plain(value(element, "excerpt:encoded")),
        author_key=value(element, "dc:creator") or None,
        published_at=date if was_live else None,
        modified_at=modified,
        # WordPress has one date for both, and that of a scheduled post is yet to come.
        created_at=modified if status == "scheduled" else min(filter(None, (date, modified)), default=None),
        parent_key=_reference(value(element, "wp:post_parent")),
        menu_order=_order(value(element, "wp:menu_order")),
        is_sticky=value(element, "wp:is_sticky") == "1",
        password=bool(value(element, "wp:post_password")),
        terms=tuple(dict.fromkeys(_term_refs(element))),
        cover_key=_reference(cover),
        takes_comments={"open": True, "closed": False}.get(value(element, "wp:comment_status")),
    )


def _attachment(element: Element, key: str) -> SourceAttachment:
    url = value(element, "wp:attachment_url") or value(element, "guid")
    if not _is_web_address(url):
        raise Broken("An attachment has no web address.")
    return SourceAttachment(
        key=key,
        title=plain(value(element, "title")),
        url=url,
        alt=plain(_meta(element).get("_wp_attachment_image_alt", "")),
        caption=plain(value(element, "excerpt:encoded")),
        description=plain(value(element, "content:encoded")),
        created_at=_date(element, "wp:post_date") or _published(element),
        parent_key=_reference(value(element, "wp:post_parent")),
    )


def _term_refs(element: Element) -> Iterator[SourceTermRef]:
    for category in _children(element, "category"):
        taxonomy = _TAXONOMIES.get(category.get("domain", ""))
        slug = _slug(category.get("nicename", ""))
        # WXR 1.0 names each term a second time, without a slug.
        if taxonomy and slug:
            yield SourceTermRef(taxonomy=taxonomy, slug=slug, name=plain(text_of(category)) or slug)


def _unplaced_terms(element: Element, key: str) -> Iterator[SourceOther]:
    for category in _children(element, "category"):
        domain, slug = category.get("domain", ""), _slug(category.get("nicename", ""))
        if not domain or domain in _TAXONOMIES:
            continue
        if domain == "post_format":
            yield SourceOther(kind=domain, key=key, reason=slug.removeprefix("post-format-") or None)
        else:
            yield SourceOther(kind=f"term_ref:{domain}", key=key, reason=slug or None)


def _comment(element: Element) -> Iterator[SourceItem]:
    key, document_key = value(element, "wp:comment_id"), element.get(POST_ID, "")
    kind = value(element, "wp:comment_type") or "comment"
    if kind != "comment":
        name = kind if kind in _PINGS else f"comment:{kind}"
        yield SourceOther(kind=name, key=document_key, reason="There is no place for it here.")
        return
    if not _NUMBER.fullmatch(key):
        raise Broken(f"A comment has the comment_id {_quoted(key)}, which is no number.")
    given = value(element, "wp:comment_approved")
    state = _STATES.get(given)
    if state is None:
        raise Broken(f"A comment has the state {_quoted(given)}, which is not known.")
    yield SourceComment(
        key=key,
        document_key=_reference(document_key),
        parent_key=_reference(value(element, "wp:comment_parent")),
        state=state,
        body=lines(value(element, "wp:comment_content")),
        author_name=plain(value(element, "wp:comment_author")) or _NOBODY,
        author_email=value(element, "wp:comment_author_email") or None,
        author_url=_web_address(value(element, "wp:comment_author_url")),
        was_signed_in=_reference(value(element, "wp:comment_user_id")) is not None,
        created_at=_date(element, "wp:comment_date"),
        order=int(key),
    )


def _web_address(given: str) -> str | None:
    """What somebody gave as an address; None for the beginning of one, which old forms held at first."""
    return None if given in {"", "http://", "https://"} else given


def _meta(element: Element) -> dict[str, str]:
    return {
        value(meta, "wp:meta_key"): value(meta, "wp:meta_value") for meta in _children(element, "wp:postmeta")
    }


def _date(element: Element, name: str) -> datetime | None:
    """The date in UTC where there is one, else the one in the site's own time taken for UTC."""
    for candidate in (f"{name}_gmt", name):
        given = value(element, candidate)
        if not given or given.startswith(_NO_DATE):
            continue
        try:
            if _DATE.fullmatch(given):
                return datetime.fromisoformat(given).replace(tzinfo=UTC)
        except ValueError:
            pass
        raise Broken(f"An item has the date {_quoted(given)} in {candidate}, which is none.")
    return None


def _published(element: Element) -> datetime | None:
    """RSS's own date (RFC 822); None where it is nonsense, as it is for a draft: the year -0001."""
    given = value(element, "pubDate")
    try:
        date = parsedate_to_datetime(given) if _FEED_YEAR.search(given) else None
        return date and (date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None


def _slug(given: str) -> str:
    """A slug as it reads. WordPress encodes what isn't ASCII, and may cut it off within a character."""
    return _UNPRINTED.sub("", unquote(given, errors="ignore")).strip()


def _reference(given: str) -> str | None:
    return given if _NUMBER.fullmatch(given) and int(given) else None


def _order(given: str) -> int:
    return int(given) if _ORDER.fullmatch(given) else 0


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _quoted(given: str) -> str:
    return f"“{given[:40]}”"


_READERS: Final[Mapping[str, Callable[[Element], Iterator[SourceItem]]]] = {
    "wp:author": _author,
    "wp:category": _category,
    "wp:tag": _tag,
    "wp:term": _any_term,
    "item": _item,
    COMMENT: _comment,
}
