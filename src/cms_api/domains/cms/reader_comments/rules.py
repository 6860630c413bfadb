"""Where readers may comment, what is let through, and what is taken for spam."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from uuid import UUID

import msgspec

from cms_api.domains.cms.reader_comments.model import Reason
from cms_api.domains.cms.reader_comments.texts import folded, links_in
from cms_api.kernel.errors import Faults, invalid

MAX_LISTED = 500


class ReaderCommentRules(msgspec.Struct, frozen=True, kw_only=True):
    """What holds where nothing more particular is said.

    ``enabled`` is for types that ``types`` does not name. Comments close ``closes_after_days`` after a
    document was first published. Without ``requires_moderation`` everything is let through that is no
    spam; with ``previously_approved``, whatever comes from who had a comment approved before. More
    than ``max_links`` links, and whatever the three lists name, are spam. Spam and trash go for good
    after so many days; null is never.
    """

    enabled: bool = True
    types: dict[str, bool] = msgspec.field(default_factory=dict)
    closes_after_days: int | None = None
    requires_moderation: bool = True
    previously_approved: bool = True
    max_links: int = 2
    blocked_words: tuple[str, ...] = ()
    blocked_addresses: tuple[str, ...] = ()
    blocked_networks: tuple[str, ...] = ()
    spam_days: int | None = 30
    trash_days: int | None = 30
    version: int = 1
    updated_at: datetime | None = None
    updated_by: UUID | None = None


# What holds until somebody decides otherwise.
DEFAULTS = ReaderCommentRules()


class DocumentSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What one document says of its own comments; null is: as the rules have it."""

    document_id: UUID
    is_open: bool | None = None
    closes_at: datetime | None = None
    version: int = 1
    updated_at: datetime | None = None
    updated_by: UUID | None = None


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where comments hang: a document's type and settings; null where it is not published."""

    type: str
    first_published_at: datetime | None
    settings: DocumentSettings


def accepts(place: Place, rules: ReaderCommentRules, *, at: datetime) -> bool:
    """Whether readers may comment there. The document's own word counts first, then its type's."""
    own, first = place.settings, place.first_published_at
    if first is None:
        return False
    if own.is_open is not None:
        is_open = own.is_open
    else:
        is_open = rules.types.get(place.type, rules.enabled)
        if rules.closes_after_days is not None and own.closes_at is None:
            is_open = is_open and at < first + timedelta(days=rules.closes_after_days)
    return is_open and (own.closes_at is None or at < own.closes_at)


def screen(
    rules: ReaderCommentRules, *, name: str, email: str, url: str | None, body: str, client: str | None
) -> Reason | None:
    """Why this is spam, None where it looks like none."""
    if links_in(body) > rules.max_links:
        return "links"
    if _is_listed(email, rules.blocked_addresses):
        return "address"
    words = folded(" ".join((name, email, url or "", body)))
    if any(folded(word) in words for word in rules.blocked_words):
        return "word"
    if client is not None and (address := _address(client)) is not None:
        networks = (ip_network(network) for network in rules.blocked_networks)
        if any(address in network for network in networks):
            return "network"
    return None


def _is_listed(email: str, addresses: Iterable[str]) -> bool:
    domain = email.rpartition("@")[2]
    return any(one in (email, f"@{domain}") for one in addresses)


def _address(client: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(client)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def checked(values: Mapping[str, object]) -> dict[str, object]:
    """New values of rules, the lists without repetition. Raises `Invalid` with every fault."""
    faults, found = Faults(), dict(values)
    for name, one_of in (
        ("blocked_words", _word),
        ("blocked_addresses", _listed_address),
        ("blocked_networks", _network),
    ):
        entries = values.get(name)
        if not isinstance(entries, tuple):
            continue
        taken: dict[str, None] = {}
        for index, entry in enumerate(entries):
            with faults.noted():
                taken[one_of(entry, f"/{name}/{index}")] = None
        found[name] = tuple(taken)
    faults.refuse()
    return found


def _word(entry: str, pointer: str) -> str:
    if not (word := folded(entry)):
        raise invalid(pointer, "empty", "An empty word would block everything.")
    return word


def _listed_address(entry: str, pointer: str) -> str:
    address = entry.strip().lower()
    local, at, domain = address.rpartition("@")
    if not at or not domain or "@" in local or any(one.isspace() for one in address):
        raise invalid(pointer, "address", "This is an e-mail address, or a domain like @example.org.")
    return address


def _network(entry: str, pointer: str) -> str:
    try:
        return str(ip_network(entry.strip()))
    except ValueError:
        raise invalid(pointer, "network", "This is an address, or a network like 192.0.2.0/24.") from None
