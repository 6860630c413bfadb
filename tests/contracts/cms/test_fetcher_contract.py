"""What every fetcher of files does; the web's is tried on a site of its own."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from tests.fakes_cms import MemoryFetcher

from cms_api.adapters.fetching.web import WebFetcher
from cms_api.domains.cms.imports.ports import Fetcher, FetchError

BODY = bytes(range(256)) * 1_000


@dataclass
class Site:
    """A fetcher, and the address of a site that has one file, ``/file``."""

    fetcher: Fetcher
    url: str


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    target = (await reader.readuntil(b"\r\n\r\n")).split()[1]
    head = {
        b"/file": b"200 OK\r\nContent-Length: %d" % len(BODY),
        b"/moved": b"302 Found\r\nLocation: /file\r\nContent-Length: 0",
        b"/circle": b"302 Found\r\nLocation: /circle\r\nContent-Length: 0",
        b"/away": b"302 Found\r\nLocation: file:///etc/hostname\r\nContent-Length: 0",
    }.get(target, b"404 Not Found\r\nContent-Length: 0")
    writer.write(
        b"HTTP/1.1 " + head + b"\r\nConnection: close\r\n\r\n" + (BODY if target == b"/file" else b"")
    )
    await writer.drain()
    writer.close()
    await writer.wait_closed()


@pytest.fixture
async def web() -> AsyncIterator[str]:
    """The address of a site on this machine."""
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


@pytest.fixture(params=["fake", "web"])
def site(request: pytest.FixtureRequest, web: str) -> Site:
    fetcher = (
        MemoryFetcher({f"{web}/file": BODY}) if request.param == "fake" else WebFetcher(allow_private=True)
    )
    return Site(fetcher, web)


async def fetched(fetcher: Fetcher, url: str) -> bytes:
    async with fetcher.fetch(url) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def test_a_file_comes_in_pieces(site: Site) -> None:
    assert await fetched(site.fetcher, f"{site.url}/file") == BODY


async def test_what_is_not_there_is_told(site: Site) -> None:
    with pytest.raises(FetchError, match="404") as caught:
        await fetched(site.fetcher, f"{site.url}/nothing")
    assert not caught.value.offline


async def test_a_network_that_is_away_is_told_apart(web: str) -> None:
    fake, port = MemoryFetcher(), await _unused_port()
    fake.is_offline = True
    for fetcher, url in (
        (fake, f"{web}/file"),
        (WebFetcher(allow_private=True), f"http://127.0.0.1:{port}/file"),
    ):
        with pytest.raises(FetchError) as caught:
            await fetched(fetcher, url)
        assert caught.value.offline


async def _unused_port() -> int:
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port


async def test_the_web_is_followed_round_a_corner_but_not_in_circles(web: str) -> None:
    fetcher = WebFetcher(allow_private=True)
    assert await fetched(fetcher, f"{web}/moved") == BODY
    with pytest.raises(FetchError, match="circles"):
        await fetched(fetcher, f"{web}/circle")


@pytest.mark.parametrize("path", ["/file", "/moved"])
async def test_the_web_ends_at_our_own_network(web: str, path: str) -> None:
    with pytest.raises(FetchError, match="public network") as caught:
        await fetched(WebFetcher(), f"{web}{path}")
    assert not caught.value.offline


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://old.example/a", "http://", "gopher:x"])
async def test_only_the_web_is_fetched_from(url: str) -> None:
    with pytest.raises(FetchError, match="http"):
        await fetched(WebFetcher(allow_private=True), url)


async def test_a_redirect_leads_nowhere_else(web: str) -> None:
    with pytest.raises(FetchError, match="http"):
        await fetched(WebFetcher(allow_private=True), f"{web}/away")
