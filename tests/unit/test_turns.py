"""Shares of the threads and rates of customers: bounded, in order, forgotten when over."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from readapi.rate_limit import RateLimit
from readapi.threads import Threads
from readapi.turns import WAITING_OF_ONE, Crowded, Turns


def test_nobody_has_more_than_a_share_and_all_come_to_their_turn():
    """Ten requests of one caller in a share of two, and one of another's that need not wait for them."""
    under_way: Counter[str] = Counter()
    most: Counter[str] = Counter()
    order: list[int] = []

    async def request(turns: Turns, caller: str, number: int) -> None:
        async with turns.of(caller):
            under_way[caller] += 1
            most[caller] = max(most[caller], under_way[caller])
            await asyncio.sleep(0)
            order.append(number)
            under_way[caller] -= 1

    async def play() -> Turns:
        turns = Turns(share=2)
        await asyncio.gather(*(request(turns, "a", number) for number in range(10)), request(turns, "b", 99))
        return turns

    turns = asyncio.run(play())
    assert {"a": 2, "b": 1} == dict(most)
    assert list(range(10)) == [number for number in order if number < 99]
    assert order.index(99) < 4
    assert {} == turns._queues


def test_waiting_has_a_bound_for_one_and_for_all():
    """Beyond it Crowded says at once whose requests fill the room; given up ones make room again."""

    async def play() -> None:
        turns = Turns(share=1, waiting=WAITING_OF_ONE + 2)

        async def hold(caller: str) -> None:
            async with turns.of(caller):
                await asyncio.Event().wait()

        held = [asyncio.create_task(hold("a")) for _ in range(WAITING_OF_ONE + 1)]
        await asyncio.sleep(0)
        with pytest.raises(Crowded) as own:
            await hold("a")
        assert own.value.is_own
        held.append(asyncio.create_task(hold("b")))
        await asyncio.sleep(0)
        with pytest.raises(Crowded) as everybody:
            await hold("c")
        assert not everybody.value.is_own
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)
        assert {} == turns._queues
        async with turns.of("c"):
            pass

    asyncio.run(play())


def test_a_rate_fills_again_evenly():
    """Five at once, one more every second; a refused request costs nothing."""
    now = [100.0]
    limit = RateLimit(60, at_once=5, clock=lambda: now[0])
    assert [4, 3, 2, 1, 0] == [limit.take("a").remaining for _ in range(5)]
    for _ in range(3):
        refused = limit.take("a")
        assert (0, 1) == (refused.remaining, refused.retry_after)
    assert 4 == limit.take("b").remaining
    now[0] += 1
    assert limit.take("a").retry_after is None
    assert 1 == limit.take("a").retry_after
    now[0] += 3600
    assert 4 == limit.take("a").remaining


def test_the_fields_say_policy_and_what_is_left():
    """As draft-ietf-httpapi-ratelimit-headers-10 writes them."""
    limit = RateLimit(60, at_once=5, clock=lambda: 0.0)
    expected = [("RateLimit-Policy", '"customer";q=60;w=60'), ("RateLimit", '"customer";r=4;t=1')]
    assert expected == limit.take("a").headers(limit.policy)


def test_threads_give_what_the_work_returns_or_raises():
    """Many pieces of work for two threads; a fault is the awaiting one's, and a cancelled caller harms nobody."""

    async def play() -> None:
        threads = Threads(2, "test")
        assert list(range(50)) == await asyncio.gather(*(threads.run(abs, -number) for number in range(50)))
        with pytest.raises(ValueError, match="invalid literal"):
            await threads.run(int, "x")
        given_up = asyncio.create_task(threads.run(abs, 1))
        await asyncio.sleep(0)
        given_up.cancel()
        assert 2 == await threads.run(abs, -2)
        threads.close()

    asyncio.run(play())
