"""Where addresses are in sanitised HTML, whose attributes are in double quotes, without any in them."""

import re
from collections.abc import Callable
from html import escape, unescape

# A tag with attributes: what looks like one in a text has its brackets escaped.
_TAG = re.compile(r'<[a-z][a-z0-9]*(?: [^\s=<>"]+="[^"]*")+ ?/?>')
_ATTRIBUTE = re.compile(r' (href|src|poster|cite|srcset)="([^"]*)"')
# A candidate of a srcset: its address may have commas, but not at its end (HTML, section 4.8.4.2.2).
_CANDIDATE = re.compile(r"[\s,]*+(\S*[^\s,])(?:(?=,)|([^,]*))")
# What stands before the first of these is a scheme, if a colon ends it (RFC 3986, section 4.2).
_SCHEME = re.compile(r"\s*([^:/?#\s]*):")
# Browsers take these out of an address before they look at it (URL Standard, section 4.4).
_TAKEN_OUT = str.maketrans("", "", "\t\n\r")


def scheme_of(url: str) -> str | None:
    """The scheme of an address in small letters; None where it is relative."""
    found = _SCHEME.match(url.translate(_TAKEN_OUT))
    return found and found[1].lower()


def each_candidate(srcset: str, change: Callable[[str], str | None]) -> str:
    """A srcset with each of its addresses changed, or left out where ``change`` gives None."""
    kept, at = [], 0
    while (found := _CANDIDATE.match(srcset, at)) is not None:
        url, size = found.groups(default="")
        if (changed := change(url)) is not None:
            kept.append(f"{changed} {size.strip()}".strip())
        at = found.end()
    return ", ".join(kept)


def each_address(html: str, change: Callable[[str], str]) -> str:
    """HTML with each address in it changed. What ``change`` gives back as it was stays byte by byte."""

    def attribute(match: re.Match[str]) -> str:
        name, said = match.groups()
        value = unescape(said)
        changed = each_candidate(value, change) if name == "srcset" else change(value)
        return match[0] if changed == value else f' {name}="{escape(changed)}"'

    return _TAG.sub(lambda tag: _ATTRIBUTE.sub(attribute, tag[0]), html)
