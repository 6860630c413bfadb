"""Who asks, behind proxies."""

from typing import Any

import pytest

from cms_api.adapters.http.proxies import Proxies
from cms_api.settings import SettingsError, load

PEER = ("10.0.0.1", 4711)


def client(
    *told: str, peer: tuple[str, int] | None = PEER, trusted: tuple[str, ...] = ("10.0.0.0/8",)
) -> Any:
    headers = [(b"host", b"x"), *((b"x-forwarded-for", one.encode("latin-1")) for one in told)]
    return Proxies(trusted).client({"client": peer, "headers": headers})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ((), "10.0.0.1"),
        (("192.0.2.1",), "192.0.2.1"),
        (("192.0.2.1, 10.0.0.2",), "192.0.2.1"),
        # What stands further left was written by who asks.
        (("6.6.6.6, 192.0.2.1",), "192.0.2.1"),
        (("6.6.6.6", "192.0.2.1, 10.0.0.2"), "192.0.2.1"),
        (("10.0.0.3, 10.0.0.2",), "10.0.0.3"),
        (("192.0.2.1:1234",), "192.0.2.1"),
        (("[2001:db8::1]:1234",), "2001:db8::1"),
        (("2001:DB8::1",), "2001:db8::1"),
        (("::ffff:192.0.2.1",), "192.0.2.1"),
        (('"192.0.2.1"',), "192.0.2.1"),
        # Where a hop can't be read, the last one that could be counts.
        (("6.6.6.6, unknown, 10.0.0.2",), "10.0.0.2"),
        (("6.6.6.6, ÿ'; DROP TABLE x",), "10.0.0.1"),
        ((",,,",), "10.0.0.1"),
        (("6.6.6.6," * 10_000 + "192.0.2.1",), "192.0.2.1"),
    ],
)
def test_behind_a_trusted_proxy(told: tuple[str, ...], expected: str) -> None:
    assert client(*told)[0] == expected


def test_nobody_else_is_believed() -> None:
    for trusted in ((), ("192.168.0.0/16",)):
        assert client("192.0.2.1", trusted=trusted) == PEER
    assert client("192.0.2.1", peer=("127.0.0.1", 1), trusted=()) == ("127.0.0.1", 1)
    assert client("192.0.2.1", peer=None) is None
    assert client("192.0.2.1", peer=("a-socket", 0)) == ("a-socket", 0)
    # The same proxy, mapped into IPv6.
    assert client("192.0.2.1", peer=("::ffff:10.0.0.1", 1))[0] == "192.0.2.1"


def test_settings() -> None:
    settings = load({"CMS_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8,::1", "CMS_COMMENT_RATE": "20/1h"})
    assert settings.trusted_proxies == ("127.0.0.1", "10.0.0.0/8", "::1")
    assert settings.comment_rate == "20/1h"
    assert load({"CMS_COMMENT_RATE": ""}).comment_rate is None
    assert load({}).trusted_proxies == ()
    for name, wrong in (
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("TRUSTED_PROXIES", "*"),
        ("COMMENT_RATE", "0/1m"),
        ("COMMENT_RATE", "5 / 10m"),
        ("COMMENT_RATE", "5/10m\n"),
        ("COMMENT_RATE", "5"),
    ):
        with pytest.raises(SettingsError, match=f"CMS_{name}"):
            load({f"CMS_{name}": wrong})
