"""Whatever the order in which transactions end: replicas miss nothing, and see no draft."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import httpx
import psycopg
import pytest
from tests.integration.cms.cms_client import CONTENT, answered, make, published
from tests.integration.cms.replica import Replica

from cms_api.bootstrap.container import Application
from cms_api.domains.cms.api import PostChanges
from cms_api.kernel.actor import SYSTEM
from cms_api.kernel.errors import CmsError

WRITERS, STEPS, POSTS = 3, 12, 6


async def test_a_change_is_told_once_no_older_one_is_under_way(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, database_url: str
) -> None:
    first, second = [await published(admin, "posts", title=title) for title in ("A", "B")]
    replica = Replica(client, kinds="document")
    await replica.follow()
    update = "UPDATE cms.publications SET title = title || '!' WHERE document_id = %s"
    with psycopg.connect(database_url) as early, psycopg.connect(database_url) as late:
        early.execute(update, [first["id"]])
        late.execute(update, [second["id"]])
        late.commit()
        assert await replica.follow() == []
        early.commit()
        assert await replica.follow() == [("document", "A!"), ("document", "B!")]
        # The same document, and the older transaction ends first, then last.
        early.execute("SELECT pg_current_xact_id()")
        late.execute(update, [first["id"]])
        late.commit()
        early.execute(update, [first["id"]])
        early.execute(update, [second["id"]])
        assert await replica.follow() == []
        early.commit()
        assert await replica.follow() == [("document", "A!!!"), ("document", "B!!")]
        early.execute(update, [first["id"]])
        late.execute(update, [second["id"]])
        late.commit()
        early.rollback()
        assert await replica.follow() == [("document", "B!!!")]


class Writers:
    """Many who publish, take down and redraft the same posts, and hold their transactions for a while."""

    def __init__(self, application: Application, posts: list[str], seed: int) -> None:
        self._new_uow = application.unit_of_work
        self._posts = application.container.cms.posts()
        self._ids: list[Any] = posts
        self._random = random.Random(seed)
        self.number = 0

    async def write(self) -> None:
        for _ in range(STEPS):
            try:
                async with self._new_uow() as uow:
                    for _ in range(self._random.randint(1, 2)):
                        await self._change(uow, self._random.choice(self._ids))
                    await asyncio.sleep(self._random.random() / 30)
                    if self._random.random() < 0.15:
                        raise ZeroDivisionError
            except (CmsError, ZeroDivisionError):
                continue
            except Exception as error:
                if "deadlock" not in str(error):
                    raise
            await asyncio.sleep(self._random.random() / 60)

    async def _change(self, uow: Any, post: Any) -> None:
        self.number += 1
        what = self._random.choice(("publish", "publish", "unpublish", "draft"))
        if what == "draft":
            await self._posts.update(uow, SYSTEM, post, PostChanges(title="Draft"), expected=None)
        elif what == "publish":
            title = f"Live {self.number}"
            await self._posts.update(uow, SYSTEM, post, PostChanges(title=title), expected=None)
            await self._posts.publish(uow, SYSTEM, post, expected=None)
        else:
            await self._posts.unpublish(uow, SYSTEM, post, expected=None)


@pytest.mark.parametrize("seed", range(3))
async def test_replicas_converge_to_what_is_published(
    admin: httpx.AsyncClient,
    new_client: Callable[..., httpx.AsyncClient],
    application: Application,
    seed: int,
) -> None:
    posts = [(await make(admin, "posts", title="Draft"))["id"] for _ in range(POSTS)]
    writers = Writers(application, posts, seed)
    replicas = [Replica(new_client(), kinds="document", type="post") for _ in range(2)]
    ended = asyncio.Event()

    async def follow(replica: Replica, limit: int) -> None:
        while not ended.is_set():
            await replica.follow(limit=limit)
            assert ("document", "Draft") not in replica.told
            await asyncio.sleep(0)

    followers = [
        asyncio.create_task(follow(one, limit)) for one, limit in zip(replicas, (1, 100), strict=True)
    ]
    await asyncio.gather(*(writers.write() for _ in range(WRITERS)))
    ended.set()
    await asyncio.gather(*followers)
    truth = answered(await admin.get(f"{CONTENT}/posts?limit=100"), 200)["items"]
    assert writers.number > WRITERS
    for replica in replicas:
        await replica.follow()
        assert replica.resources == {("document", post["id"]): post for post in truth}
