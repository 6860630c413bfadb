"""What a menu is made of: items that point somewhere, and how they are checked on their way in."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from cms_api.kernel.errors import Faults, invalid
from cms_api.kernel.ids import new_id

MAX_DEPTH = 6
MAX_ITEMS = 500
MAX_URL = 2_000
MAX_LABEL = 200
MAX_TITLE = 500

TargetKind = Literal["document", "category", "tag", "url"]

# What browsers drop from addresses, or read as something else: blanks, quotes, brackets, backslashes.
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\x9f\s<>\"\\^`{|}]")
_PHONE = re.compile(r"tel:\+?[0-9][0-9().*#;=A-Za-z-]*")
_MAIL = re.compile(r"mailto:[^@]+@[^@]+")


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where an item leads: to a document, a category or a tag by its ``id``, or to a ``url``.

    Without an ``id`` it is broken: what it pointed at has been deleted for good.
    """

    kind: TargetKind
    id: UUID | None = None
    url: str | None = None

    @property
    def is_broken(self) -> bool:
        """Whether what it pointed at is gone."""
        return self.kind != "url" and self.id is None


class NewItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item to be, with what hangs below it. One that is in the menu already is named by its ``id``."""

    id: UUID | None = None
    label: str | None = None
    title: str | None = None
    target: Target
    opens_in_new_tab: bool = False
    children: tuple["NewItem", ...] = ()


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """An item in its place. ``position`` counts from 0 among those below the same parent."""

    id: UUID
    parent_id: UUID | None
    position: int
    label: str | None
    title: str | None
    target: Target
    opens_in_new_tab: bool


def check_url(url: str, pointer: str) -> None:
    """Raise `Invalid` unless ``url`` is http, https, mailto or tel, a path on the site or a place on the page.

    A list of what may be, as that of what may not (javascript, data …) would never be complete.
    """
    if len(url) > MAX_URL:
        raise invalid(pointer, "length", f"An address has at most {MAX_URL} characters.")
    if _UNSAFE.search(url) or not _is_known(url):
        raise invalid(
            pointer,
            "url",
            "An address begins with http://, https://, mailto:, tel:, # or a single slash, and has no blanks.",
        )


def is_web_address(url: str) -> bool:
    """Whether ``url`` is an http or https address that browsers read as it is written."""
    try:
        parts = urlsplit(url)
        # Asking for the port checks it. Who writes a name before the host means to mislead.
        has_host = bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        return False
    return has_host and parts.scheme in ("http", "https") and not _UNSAFE.search(url)


def _is_known(url: str) -> bool:
    if url.startswith(("/", "#")):
        return not url.startswith("//")  # which would be another host
    scheme = url.partition(":")[0].lower()
    if scheme in ("http", "https"):
        return is_web_address(url)
    rest = f"{scheme}:{url.partition(':')[2]}"
    return bool(_MAIL.fullmatch(rest) or _PHONE.fullmatch(rest))


class Planting:
    """Puts new items in their places; what is wrong with them is noted in ``faults``.

    ``known`` are the items that the menu has. ``at`` says where each item stands in the input.
    """

    def __init__(self, known: Mapping[UUID, Item], faults: Faults) -> None:
        self.items: list[Item] = []
        self.at: dict[UUID, str] = {}
        self._known = known
        self._faults = faults

    def all(self, new: Iterable[NewItem], *, parent_id: UUID | None, depth: int, pointer: str) -> None:
        """Put ``new`` below a parent, one after the other; ``depth`` is theirs, from 1."""
        for position, item in enumerate(new):
            self.one(
                item, parent_id=parent_id, position=position, depth=depth, pointer=f"{pointer}/{position}"
            )

    def one(self, new: NewItem, *, parent_id: UUID | None, position: int, depth: int, pointer: str) -> None:
        """Put one item, with all below it, in its place."""
        if depth > MAX_DEPTH:
            self._note(pointer, "too_deep", f"Items are nested {MAX_DEPTH} levels deep at most.")
            return
        for check in (self._check_id(new), self._check_words(new), self._check_target(new)):
            for place, code, detail in check:
                self._note(f"{pointer}{place}", code, detail)
        if new.target.url is not None:
            with self._faults.noted():
                check_url(new.target.url, f"{pointer}/target/url")
        item = Item(
            id=new.id or new_id(),
            parent_id=parent_id,
            position=position,
            label=new.label,
            title=new.title,
            target=new.target,
            opens_in_new_tab=new.opens_in_new_tab,
        )
        self.at[item.id] = pointer
        self.items.append(item)
        self.all(new.children, parent_id=item.id, depth=depth + 1, pointer=f"{pointer}/children")

    def _note(self, pointer: str, code: str, detail: str) -> None:
        with self._faults.noted():
            raise invalid(pointer, code, detail)

    def _check_id(self, new: NewItem) -> Iterator[tuple[str, str, str]]:
        if new.id is None:
            return
        if new.id not in self._known:
            yield "/id", "unknown_reference", "This menu has no item with this id. A new item has none yet."
        elif new.id in self.at:
            yield "/id", "duplicate", "Another item here has the same id."

    @staticmethod
    def _check_words(new: NewItem) -> Iterator[tuple[str, str, str]]:
        for name, text, limit in (("label", new.label, MAX_LABEL), ("title", new.title, MAX_TITLE)):
            if text is not None and not (text.strip() and len(text) <= limit):
                yield f"/{name}", "length", f"This has 1 to {limit} characters, and not blanks alone."
        if new.label is None and new.target.kind == "url":
            yield "/label", "required", "An item with an address needs a label: there is no title to show."

    def _check_target(self, new: NewItem) -> Iterator[tuple[str, str, str]]:
        target, stored = new.target, self._known.get(new.id) if new.id else None
        given, other = ("url", "id") if target.kind == "url" else ("id", "url")
        if getattr(target, other) is not None:
            yield f"/target/{other}", "not_allowed", f"A target of the kind “{target.kind}” has no {other}."
        if getattr(target, given) is None and (stored is None or stored.target != target):
            yield f"/target/{given}", "required", f"A target of the kind “{target.kind}” needs its {given}."
