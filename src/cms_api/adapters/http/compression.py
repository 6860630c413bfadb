"""Content codings (RFC 9110, section 8.4): which one a client takes, and how it is made."""

import gzip
import sys
from collections.abc import Callable
from functools import lru_cache

import brotli

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# Below that, a coding saves less than its headers cost.
MIN_BYTES = 512
_HEADERS_KEPT, _MAX_KEPT = 1_024, 200

# The better ones first: that counts where a client likes several as much.
CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "zstd": lambda body: zstd.compress(body, 9),
    "br": lambda body: brotli.compress(body, quality=6),
    "gzip": lambda body: gzip.compress(body, 6, mtime=0),
}


def accepted(header: bytes) -> str | None:
    """The coding that suits an Accept-Encoding header best; None where that is none at all."""
    return _accepted(header) if len(header) <= _MAX_KEPT else _accepted.__wrapped__(header)


@lru_cache(maxsize=_HEADERS_KEPT)
def _accepted(header: bytes) -> str | None:
    weights = _weights(header)
    best = max(CODINGS, key=weights.__getitem__)
    return best if weights[best] > 0 and weights[best] >= weights["identity"] else None


def acceptable(header: bytes) -> list[str]:
    """All codings that an Accept-Encoding header allows."""
    weights = _weights(header)
    return [coding for coding in CODINGS if weights[coding] > 0]


def _weights(header: bytes) -> dict[str, float]:
    """How much a client likes each coding, and bytes as they are."""
    given: dict[str, float] = {}
    for part in header.decode("latin-1").lower().split(","):
        name, _, parameters = part.partition(";")
        given[name.strip()] = _weight(parameters)
    weights = {coding: given.get(coding, given.get("*", 0.0)) for coding in CODINGS}
    return weights | {"identity": given.get("identity", 0.0)}


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
