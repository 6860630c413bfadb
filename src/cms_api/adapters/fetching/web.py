"""Fetching files from other sites, and from nowhere inside our own network."""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx

from cms_api.domains.cms.imports.ports import Fetcher, FetchError

CONNECT_SECONDS = 5.0
READ_SECONDS = 20.0
MAX_REDIRECTS = 5


class WebFetcher(Fetcher):
    """Fetches over HTTP and HTTPS. ``allow_private`` lets it reach addresses that are not public."""

    def __init__(self, *, allow_private: bool = False) -> None:
        self._allow_private = allow_private

    @asynccontextmanager
    async def fetch(self, url: str) -> AsyncIterator[AsyncIterator[bytes]]:
        timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
        try:
            async with httpx.AsyncClient(timeout=timeout, headers={"User-Agent": "cms-import"}) as client:
                for _ in range(MAX_REDIRECTS):
                    await self._check(url)
                    async with client.stream("GET", url) as response:
                        if response.has_redirect_location:
                            url = str(response.url.join(response.headers["location"]))
                            continue
                        if not response.is_success:
                            raise FetchError(f"the site answers {response.status_code}")
                        yield response.aiter_bytes()
                        return
                raise FetchError("it redirects in circles")
        except httpx.TransportError as error:
            raise FetchError(f"the site can't be reached ({type(error).__name__})", offline=True) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise FetchError(f"the answer can't be read ({type(error).__name__})") from None

    async def _check(self, url: str) -> None:
        """Refuse what is not on the public network, redirects included."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise FetchError("only http and https are fetched")
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                parts.hostname, parts.port or 80, type=socket.SOCK_STREAM
            )
        except (OSError, UnicodeError):
            raise FetchError("the site's name is not known", offline=True) from None
        if self._allow_private:
            return
        if not all(ipaddress.ip_address(address[4][0]).is_global for address in found):
            raise FetchError("the address is not on the public network")
