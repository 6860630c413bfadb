"""Streams of events: they share what they ask the database, and there is an end to their number."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from psycopg_pool import PoolTimeout

from cms_api.adapters.http.events import (
    LOOKS_AT_ONCE,
    RETRY,
    STILL_HERE,
    Batch,
    Follower,
    Looks,
    OpenStreams,
    TooManyStreams,
    limited,
)
from cms_api.settings import SettingsError, load

MANY = 200


class Log:
    """What is followed: numbers. Looks end when ``ready`` is set."""

    def __init__(self) -> None:
        self.looked: list[int] = []
        self.at_once = self.most_at_once = 0
        self.error: Exception | None = None
        self.ready = asyncio.Event()

    def behind(self, at: int) -> Callable[[], Awaitable[Batch[int]]]:
        async def look() -> Batch[int]:
            self.looked.append(at)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            try:
                await self.ready.wait()
            finally:
                self.at_once -= 1
            if self.error is not None:
                raise self.error
            return Batch(b"data: %d\n\n" % at, at + 1, more=False)

        return look


async def settle() -> None:
    """Let everybody go as far as she can."""
    for _ in range(20):
        await asyncio.sleep(0)


def asking(looks: Looks, log: Log, *places: int) -> list[asyncio.Task[Batch[int]]]:
    return [asyncio.create_task(looks.shared(place, log.behind(place))) for place in places]


async def test_one_looks_for_all_who_are_at_one_place() -> None:
    looks, log = Looks(), Log()
    tasks = asking(looks, log, *[7] * MANY)
    await settle()
    log.ready.set()
    found = await asyncio.gather(*tasks)
    assert log.looked == [7]
    assert all(one is found[0] for one in found)
    # It is kept for nobody.
    await looks.shared(7, log.behind(7))
    assert log.looked == [7, 7]


async def test_who_is_elsewhere_looks_for_herself_and_few_do_at_once() -> None:
    looks, log = Looks(), Log()
    tasks = asking(looks, log, *range(20), *range(20))
    await settle()
    assert log.looked == list(range(LOOKS_AT_ONCE))
    log.ready.set()
    assert [one.position for one in await asyncio.gather(*tasks)] == [*range(1, 21)] * 2
    assert sorted(log.looked) == list(range(20))
    assert log.most_at_once == LOOKS_AT_ONCE


async def test_who_goes_away_leaves_the_look_to_the_others() -> None:
    looks, log = Looks(), Log()
    first, *others = asking(looks, log, *[7] * MANY)
    await settle()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    log.ready.set()
    assert {one.position for one in await asyncio.gather(*others)} == {8}
    assert log.looked == [7]


async def test_a_look_that_nobody_waits_for_is_given_up() -> None:
    looks, log = Looks(), Log()
    tasks = asking(looks, log, 1, 2, 3, 3)
    await settle()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    [again] = asking(looks, log, 2)
    await settle()
    assert log.looked == [1, 2, 2]
    assert log.at_once == 1
    log.ready.set()
    assert (await again).position == 3


async def test_an_error_reaches_all_who_wait_and_nobody_after() -> None:
    looks, log = Looks(), Log()
    log.error = RuntimeError("x")
    tasks = asking(looks, log, *[7] * MANY)
    await settle()
    log.ready.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(one) for one in found} == {RuntimeError}
    assert log.looked == [7]
    log.error = None
    assert (await looks.shared(7, log.behind(7))).position == 8


class Client:
    """Who follows numbers; ``turns`` are what its looks give, or raise."""

    def __init__(self, *turns: bytes | Exception) -> None:
        self._turns = list(turns)
        self.stopping = asyncio.Event()
        request: Any = SimpleNamespace(app=SimpleNamespace(state=SimpleNamespace(stopping=self.stopping)))
        self._follower = Follower[int](request, look=self._look, wait=self._wait)
        self.looked: list[int] = []

    async def heard(self) -> list[bytes]:
        return [chunk async for chunk in self._follower.events(Batch(b"first", 1, more=False))]

    async def _look(self, at: int) -> Batch[int]:
        self.looked.append(at)
        turn = self._turns.pop(0)
        if not self._turns:
            self.stopping.set()
        if isinstance(turn, Exception):
            raise turn
        return Batch(turn, at + 1, more=False)

    async def _wait(self, at: int, seconds: float) -> int | None:
        del seconds
        return at + 10


async def test_a_follower_begins_where_it_was_led_to() -> None:
    client = Client(b"second", b"third")
    assert (await client.heard())[1:] == [b"first", b"second", b"third"]
    assert client.looked == [11, 22]


async def test_a_full_pool_ends_no_stream_but_other_errors_do() -> None:
    client = Client(PoolTimeout(), b"second", b"")
    assert (await client.heard())[1:4] == [b"first", STILL_HERE, b"second"]
    assert client.looked[:2] == [11, 11]
    assert (await Client(RuntimeError(), b"second").heard())[1:] == [b"first"]


async def test_streams_come_again_at_different_times() -> None:
    found = set()
    for _ in range(MANY):
        retry = (await Client(b"", b"").heard())[0].decode()
        assert retry.startswith("retry: ")
        assert retry.endswith("\n\n")
        found.add(int(retry.removeprefix("retry: ")))
    assert min(found) >= RETRY[0] == 2_000
    assert max(found) <= RETRY[1] == 6_000
    assert len(found) > MANY // 2


async def test_there_is_an_end_to_the_number_of_streams() -> None:
    streams = OpenStreams(2)
    leave = asyncio.Event()

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        del scope, receive, send
        await leave.wait()

    counted = limited(answer)
    scope: Any = {"litestar_app": SimpleNamespace(state=SimpleNamespace(streams=streams))}

    async def ask() -> None:
        await counted(scope, *[None] * 2)  # type: ignore[arg-type]  # nobody looks at them

    one, two = asyncio.create_task(ask()), asyncio.create_task(ask())
    await settle()
    with pytest.raises(TooManyStreams) as refused:
        await ask()
    assert 2 <= refused.value.retry_after <= 6
    one.cancel()
    await asyncio.gather(one, return_exceptions=True)
    three = asyncio.create_task(ask())
    await settle()
    with pytest.raises(TooManyStreams):
        await ask()
    leave.set()
    await asyncio.gather(two, three)


@pytest.mark.parametrize("wrong", ["0", "-1", "100001", "many", ""])
def test_the_setting_has_bounds(wrong: str) -> None:
    assert load({"CMS_MAX_STREAMS": "1"}).max_streams == 1
    assert load({}).max_streams == 1_000
    with pytest.raises(SettingsError, match="CMS_MAX_STREAMS"):
        load({"CMS_MAX_STREAMS": wrong})
