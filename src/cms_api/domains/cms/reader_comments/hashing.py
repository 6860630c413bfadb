"""What is kept in place of addresses: hashes that nobody can undo, or compute, without the secret."""

import hashlib
import hmac
from ipaddress import IPv6Address, ip_address
from uuid import UUID

# Whoever has one IPv6 address has, as a rule, all of a network of this size (RFC 6177).
IPV6_PREFIX = 64


class Hashes:
    """Keyed hashes (HMAC, RFC 2104), each kind of value in a space of its own."""

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(b"reader comments:" + secret.encode()).digest()

    def client(self, address: str) -> bytes:
        """The hash of a client's address; of its network where that is IPv6."""
        return self._hash("client", network_of(address))

    def email(self, email: str) -> bytes:
        """The hash of an e-mail address."""
        return self._hash("email", email)

    def words(self, document_id: UUID, email: str, body: str) -> bytes:
        """The hash of what somebody said about a document."""
        return self._hash("words", f"{document_id}\0{email}\0{body}")

    def _hash(self, kind: str, value: str) -> bytes:
        return hmac.digest(self._key, f"{kind}\0{value}".encode(), "sha256")


def network_of(address: str) -> str:
    """What counts as one client: an IPv4 address, an IPv6 network, or a name that is neither."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(IPv6Address(int(parsed) >> 128 - IPV6_PREFIX << 128 - IPV6_PREFIX))
    return str(parsed)
