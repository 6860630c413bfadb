"""What settings may be: one rule for each field, by its name with dots."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cms_api.domains.cms.content_types.definition import path_faults
from cms_api.domains.cms.menus.items import is_web_address
from cms_api.domains.cms.schedules.moments import check_timezone
from cms_api.domains.cms.site.interface import SitePaths, SocialLink
from cms_api.kernel.errors import Fault, Faults, invalid

MAX_TITLE = 200
MAX_TAGLINE = 500
MAX_DESCRIPTION = 2_000
MAX_URL = 2_000
MAX_BASE_URLS = 100
MAX_POSTS = 100
MAX_SOCIAL = 20
MAX_NETWORK = 50
MAX_ROBOTS = 100
POST_PATH = "paths.post"
_NO_PATH = re.compile(r"[^\w./~-]")
_ROBOTS_PATH = re.compile(r"[/*][!$-~]*")

Check = Callable[[Any, str], None]


def pointer_of(name: str) -> str:
    """The JSON Pointer of a field's name with dots."""
    return "/" + name.replace(".", "/")


def check(values: Mapping[str, Any], faults: Faults) -> None:
    """Note everything that is wrong with ``values``, by names with dots."""
    for name, value in values.items():
        if name == "social":
            _check_social(value, faults)
        elif name == "base_urls":
            _check_base_urls(value, faults)
        elif name == POST_PATH:
            faults.note(*post_path_faults(value))
        elif name in CHECKS:
            with faults.noted():
                CHECKS[name](value, pointer_of(name))


def post_path_faults(path: str) -> Iterator[Fault]:
    """Everything that is wrong with the path of posts: as that of a content type, but it may be a slug alone."""
    if len(path) > MAX_TITLE:
        yield Fault(pointer_of(POST_PATH), "length", f"This has at most {MAX_TITLE:,} characters.")
    elif path != SitePaths().post:
        yield from path_faults(path, pointer_of(POST_PATH))


def _text(most: int) -> Check:
    def check_text(value: str, pointer: str) -> None:
        if len(value) > most:
            raise invalid(pointer, "length", f"This has at most {most:,} characters.")

    return check_text


def _range(most: int) -> Check:
    def check_range(value: int | None, pointer: str) -> None:
        if value is not None and not 1 <= value <= most:
            raise invalid(pointer, "range", f"This is a number from 1 to {most:,}.")

    return check_range


def _check_base_url(value: str | None, pointer: str) -> None:
    if value is None:
        return
    if len(value) > MAX_URL or "?" in value or "#" in value or not is_web_address(value):
        raise invalid(
            pointer,
            "url",
            "The site's address begins with http:// or https://, and has no query or fragment.",
        )


def _check_base_urls(values: Mapping[str, str], faults: Faults) -> None:
    with faults.noted():
        if len(values) > MAX_BASE_URLS:
            raise invalid("/base_urls", "too_many", f"There are at most {MAX_BASE_URLS} of them.")
    for locale, value in values.items():
        with faults.noted():
            _check_base_url(value, f"/base_urls/{locale}")


def _check_timezone(value: str, pointer: str) -> None:
    check_timezone(value, pointer=pointer)


def _check_template(value: str, pointer: str) -> None:
    _text(MAX_TITLE)(value, pointer)
    if value.count("%s") != 1:
        raise invalid(pointer, "template", "A template has “%s” once, where the title goes.")


def _check_path(value: str, pointer: str) -> None:
    _text(MAX_TITLE)(value, pointer)
    rest = value.replace("{slug}", "", 1)
    if (
        value.count("{slug}") != 1
        or not value.startswith("/")
        or value.startswith("//")
        or _NO_PATH.search(rest)
    ):
        raise invalid(
            pointer, "path", "A path begins with one slash, and has “{slug}” once, where the slug goes."
        )


def _check_robots(paths: tuple[str, ...], pointer: str) -> None:
    if len(paths) > MAX_ROBOTS:
        raise invalid(pointer, "too_many", f"There are at most {MAX_ROBOTS} of them.")
    for number, path in enumerate(paths):
        # Anything else would end the line, or begin another one (RFC 9309, section 2.2.2).
        if len(path) > MAX_URL or not _ROBOTS_PATH.fullmatch(path):
            raise invalid(
                f"{pointer}/{number}", "path", "A path begins with a slash, in ASCII, without blanks and “#”."
            )


def _check_social(links: tuple[SocialLink, ...], faults: Faults) -> None:
    with faults.noted():
        if len(links) > MAX_SOCIAL:
            raise invalid("/social", "too_many", f"There are at most {MAX_SOCIAL} of them.")
    for number, link in enumerate(links[:MAX_SOCIAL]):
        with faults.noted():
            if not (link.network.strip() and len(link.network) <= MAX_NETWORK):
                raise invalid(
                    f"/social/{number}/network",
                    "length",
                    f"This has 1 to {MAX_NETWORK} characters, and not blanks alone.",
                )
        with faults.noted():
            if len(link.url) > MAX_URL or not is_web_address(link.url):
                raise invalid(
                    f"/social/{number}/url",
                    "url",
                    "An address begins with http:// or https://, without blanks.",
                )


CHECKS: dict[str, Check] = {
    "title": _text(MAX_TITLE),
    "tagline": _text(MAX_TAGLINE),
    "base_url": _check_base_url,
    "timezone": _check_timezone,
    "posts_per_page": _range(MAX_POSTS),
    "paths.category": _check_path,
    "paths.tag": _check_path,
    "paths.author": _check_path,
    "feeds.items": _range(MAX_POSTS),
    "robots.disallow": _check_robots,
    "robots.allow": _check_robots,
    "seo.title_template": _check_template,
    "seo.description": _text(MAX_DESCRIPTION),
}
