"""Who asks, behind proxies: X-Forwarded-For is believed from those only that are named."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from litestar.types import Scope

# What a proxy adds is short; whatever is longer was made up by somebody else.
MAX_HOPS = 32


class Proxies:
    """The networks whose word is taken for whom they forward."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = [ip_network(network) for network in networks]

    def client(self, scope: Scope) -> tuple[str, int] | None:
        """The address and port of who asks; the port is 0 where a proxy has told the address.

        From the right, each proxy names who came to it: the first one that is not trusted itself
        is the client. What stands further left can be written by anybody.
        """
        peer = scope.get("client")
        if (
            not self._networks
            or peer is None
            or (address := parsed(peer[0])) is None
            or not self._trusts(address)
        ):
            return peer
        # Several headers count as one, in their order (RFC 9110, section 5.3).
        told = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
        for hop in reversed(told.decode("latin-1").split(",")[-MAX_HOPS:]):
            if (named := parsed(hop)) is None:
                break
            address = named
            if not self._trusts(address):
                break
        return (str(address), 0) if told else peer

    def _trusts(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._networks)


def parsed(given: str) -> IPv4Address | IPv6Address | None:
    """An address, with or without brackets and port; an IPv4 one that is mapped into IPv6 as itself."""
    host = given.strip().strip('"')
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
