"""Connections that take turns: nobody is passed over, none is lost."""

import asyncio

import pytest

from cms_api.adapters.sqlalchemy.turns import Turns


async def test_the_last_used_comes_first() -> None:
    turns = Turns([1, 2, 3], patience=5)
    assert await turns.take() == 3
    turns.give(3)
    assert await turns.take() == 3
    assert sorted(turns.free()) == [1, 2]


async def test_who_waits_is_not_passed_over() -> None:
    turns = Turns(["only"], patience=5)
    only = await turns.take()
    order: list[int] = []

    async def use(number: int) -> None:
        thing = await turns.take()
        order.append(number)
        turns.give(thing)

    waiting = [asyncio.create_task(use(number)) for number in range(5)]
    await asyncio.sleep(0)
    turns.give(only)
    await use(5)  # came last, and asks at the moment when it is given back
    await asyncio.gather(*waiting)
    assert order == [0, 1, 2, 3, 4, 5]


async def test_patience_has_an_end() -> None:
    turns = Turns(["only"], patience=0.01)
    only = await turns.take()
    with pytest.raises(TimeoutError):
        await turns.take()
    turns.give(only)
    assert await turns.take() == only


async def test_whoever_leaves_gives_back_what_was_meant_for_her() -> None:
    turns = Turns(["only"], patience=5)
    only = await turns.take()
    leaving = asyncio.create_task(turns.take())
    await asyncio.sleep(0)
    turns.give(only)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert list(turns.free()) == [only]


async def test_whoever_left_is_not_given_anything() -> None:
    turns = Turns(["only"], patience=5)
    only = await turns.take()
    leaving = asyncio.create_task(turns.take())
    staying = asyncio.create_task(turns.take())
    await asyncio.sleep(0)
    leaving.cancel()
    turns.give(only)
    assert await staying == only
    assert leaving.cancelled()
