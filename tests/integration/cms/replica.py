"""A client that follows what is published, as sync tells it."""

from typing import Any

import httpx
from tests.integration.cms.cms_client import CONTENT, answered

Resources = dict[tuple[str, str], Any]


NAMES = ("title", "name", "slug", "location", "source", "body")


class Replica:
    """What a client has by now, by kind and id."""

    def __init__(self, client: httpx.AsyncClient, **filters: str) -> None:
        self._client = client
        self._filters = filters
        self.token: str | None = None
        self.resources: Resources = {}
        self.told: list[tuple[str, str]] = []

    async def follow(self, *, limit: int = 100) -> list[tuple[str, str]]:
        """Take in one walk. Returns what it told of: kind, and title or what stands for one; “-” where it is gone."""
        self.told = []
        step = {"token": self.token} if self.token else {}
        met: set[tuple[str, str]] = set()
        while True:
            params = {"limit": str(limit), **self._filters, **step}
            page = answered(await self._client.get(f"{CONTENT}/sync", params=params), 200)
            assert len(page["items"]) <= limit
            for item in page["items"]:
                key = (item["kind"], item["id"])
                assert key not in met
                met.add(key)
                self._take(key, item)
            if page["page"]["next"] is None:
                self.token = page["token"]
                return sorted(self.told)
            assert page["token"] is None
            step = {"after": page["page"]["next"]}

    async def begin_anew(self) -> None:
        """Forget everything, and take it all in again."""
        self.token, self.resources = None, {}
        await self.follow()

    def _take(self, key: tuple[str, str], item: dict[str, Any]) -> None:
        assert item["is_deleted"] is (item["data"] is None)
        if item["data"] is None:
            self.resources.pop(key, None)
            self.told.append((item["kind"], "-"))
            return
        self.resources[key] = item["data"]
        data = item["data"]
        if item["kind"] != "settings":
            assert data["id"] == item["id"]
        self.told.append((item["kind"], next(data[name] for name in NAMES if data.get(name) is not None)))
