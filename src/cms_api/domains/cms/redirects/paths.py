"""The paths that redirects lead from and to: one form for each."""

import unicodedata
from urllib.parse import unquote, urlsplit

from cms_api.kernel.errors import invalid

# In bytes of UTF-8: an entry of an index holds little more.
MAX_BYTES = 2_000
MAX_SEGMENTS = 50
# What would end a path, escape from it, or be taken for a slash.
_FORBIDDEN = frozenset('%?#\\<>"`{}|^')
_SCHEMES = ("http", "https")


def clean_path(given: str, *, pointer: str) -> str:
    """The path in its one form. Raises `Invalid`.

    That form is the one of `Publication.path`: percent-escapes decoded, composed (NFC), without a
    slash at the ends. The root is empty. Upper and lower case differ.
    """
    try:
        path = unicodedata.normalize("NFC", unquote(given, errors="strict"))
    except UnicodeDecodeError:
        raise invalid(pointer, "path", "The percent-escapes are no UTF-8.") from None
    if path in ("", "/"):
        return ""
    path = path.removeprefix("/").removesuffix("/")
    wrong = next((c for c in path if c in _FORBIDDEN or unicodedata.category(c) in _UNSEEN), None)
    if wrong is not None:
        shown = wrong if wrong in _FORBIDDEN else f"U+{ord(wrong):04X}"
        raise invalid(pointer, "path", f"A path has no “{shown}” in it, and neither query nor fragment.")
    segments = path.split("/")
    if any(segment.strip() in ("", ".", "..") for segment in segments):
        raise invalid(
            pointer, "path", "A path has names between its slashes, and none of them is “.” or “..”."
        )
    if len(segments) > MAX_SEGMENTS or len(path.encode()) > MAX_BYTES:
        raise invalid(pointer, "path", f"A path has at most {MAX_SEGMENTS} names, and {MAX_BYTES} bytes.")
    return path


# Controls, formats, lone surrogates, separators of lines and paragraphs.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def clean_target(given: str, *, is_prefix: bool, pointer: str) -> str:
    """Where a redirect leads: a path in its one form, or an http or https address. Raises `Invalid`."""
    if given.startswith(("//", "\\")):
        raise invalid(pointer, "path", "A path begins with one slash; an address with http:// or https://.")
    if given.startswith("/") or ":" not in given.split("/", 1)[0]:
        return clean_path(given, pointer=pointer)
    return _clean_address(given, is_prefix=is_prefix, pointer=pointer)


def _clean_address(given: str, *, is_prefix: bool, pointer: str) -> str:
    fault = invalid(pointer, "url", "An address is a whole one of http or https, without a user’s name.")
    if len(given.encode(errors="replace")) > MAX_BYTES or not given.isascii() or not given.isprintable():
        raise invalid(pointer, "url", f"An address has at most {MAX_BYTES} characters, all of them ASCII.")
    if any(c in given for c in ' \\<>"`{}|^'):
        raise fault
    try:
        parts = urlsplit(given)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        raise fault from None
    separator = given[len(parts.scheme) : len(parts.scheme) + 3]
    if parts.scheme not in _SCHEMES or separator != "://" or not parts.hostname or "@" in parts.netloc:
        raise fault
    if not has_port:
        raise fault
    if is_prefix and ("?" in given or "#" in given):
        raise invalid(pointer, "url", "The rest of the path goes behind it: no query, no fragment.")
    return given.rstrip("/") if is_prefix else given


def is_address(target: str) -> bool:
    """Whether a target in its one form leads to an address, and not to a path."""
    return target.lower().startswith(("http://", "https://"))


def with_ancestors(path: str) -> list[str]:
    """The path and all above it, down to its first name, as far as a source can reach."""
    segments = path.split("/")[:MAX_SEGMENTS]
    return ["/".join(segments[:length]) for length in range(1, len(segments) + 1)]


def is_at_or_below(path: str, above: str) -> bool:
    """Whether ``path`` is ``above``, or hangs below it."""
    return above in (path, "") or path.startswith(f"{above}/")
