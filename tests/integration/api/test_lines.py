"""The event loop's own way to the database: answers of every day, and nothing that could hold anybody up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

import sql
from readapi.connections import Connections
from readapi.lines import Line, Lines, Unusual
from readapi.threads import Threads
from readapi.together import Together

QUERIES = {
    "backend": "select pg_backend_pid()",
    "said": "select cast(:word as text)",
    "slow": "select pg_sleep(1)",
    "wrong": "select 1 / 0",
    "numbers": "select id, pg_backend_pid() from unnest(cast(:ids as text[])) as id where id <> '0'",
}


@pytest.fixture(autouse=True)
def queries(monkeypatch) -> Iterator[None]:
    """Statements of the tests' own, in place of files."""
    monkeypatch.setattr(sql, "source", QUERIES.__getitem__)
    yield
    sql.statement.cache_clear()
    sql.server_text.cache_clear()


@pytest.fixture
def play(connections: Connections) -> Callable[[Callable[[Lines], Coroutine[Any, Any, Any]], int], Any]:
    """Runs a play with so many lines, all there; gives what it returns."""

    def run(part: Callable[[Lines], Coroutine[Any, Any, Any]], count: int = 1) -> Any:
        async def whole() -> Any:
            with opened(connections, count) as lines:
                await connected(lines)
                return await part(lines)

        return asyncio.run(whole())

    return run


@contextmanager
def opened(connections: Connections, count: int) -> Iterator[Lines]:
    threads = Threads(1, "test")
    lines = Lines(connections, threads, tuple(QUERIES), count=count)
    try:
        yield lines
    finally:
        lines.close()
        threads.close()


async def connected(lines: Lines) -> None:
    """Asks until all lines are there."""
    while len(lines._lines) < lines._count:
        try:
            await lines.all("backend")
        except Unusual:
            await asyncio.sleep(0.01)
        else:
            lines._connect_at = 0.0
            await asyncio.gather(*(lines.all("backend") for _ in range(lines._count)))


def test_many_ask_over_few_lines_and_each_gets_its_own_answer(play):
    """Fifty words over two lines."""

    async def part(lines: Lines) -> list[Any]:
        return await asyncio.gather(*(lines.all("said", str(number)) for number in range(50)))

    assert [[(str(number),)] for number in range(50)] == play(part, 2)


def test_the_first_request_does_not_wait_for_a_connection(connections):
    """It goes the long way, and the line is there for those after it."""

    async def part() -> tuple[Any, ...]:
        with opened(connections, 1) as lines:
            with pytest.raises(Unusual):
                await lines.all("said", "first")
            await connected(lines)
            return await lines.all("said", "second")

    assert [("second",)] == asyncio.run(part())


@pytest.mark.parametrize("statement", ["slow", "wrong"])
def test_what_takes_long_or_fails_goes_the_long_way(play, monkeypatch, statement):
    """Its line is closed, so that nobody waits behind it, and another takes its place."""
    monkeypatch.setattr("readapi.lines.PATIENCE_SECONDS", 0.2)

    async def part(lines: Lines) -> tuple[Any, ...]:
        before = await lines.all("backend")
        asked = asyncio.gather(lines.all(statement), lines.all("said", "behind"), return_exceptions=True)
        assert ["Unusual", "Unusual"] == [type(one).__name__ for one in await asked]
        monkeypatch.setattr("readapi.lines.PATIENCE_SECONDS", 30)
        await connected(lines)
        after = await lines.all("backend")
        return before, after

    before, after = play(part)
    assert before != after


def test_a_line_that_the_server_ends_is_replaced(play, database_url):
    """While it is idle: the next request goes the long way and has another opened."""

    async def part(lines: Lines) -> tuple[Any, ...]:
        before = await lines.all("backend")
        with psycopg.connect(database_url, autocommit=True) as other:
            other.execute("select pg_terminate_backend(%s)", before[0])
        while lines._lines:
            await asyncio.sleep(0.01)
        await connected(lines)
        return before, await lines.all("backend")

    before, after = play(part)
    assert before != after


def test_whoever_gives_up_leaves_the_line_to_the_others(play):
    """An answer that nobody waits for any more is nobody else's."""

    async def part(lines: Lines) -> tuple[Any, ...]:
        given_up = asyncio.create_task(lines.all("said", "mine"))
        waiting = asyncio.create_task(lines.all("said", "not asked"))
        await asyncio.sleep(0)
        given_up.cancel()
        waiting.cancel()
        return await lines.all("said", "yours")

    assert [("yours",)] == play(part)


def test_a_line_that_is_lost_before_it_is_asked_holds_nobody(play):
    """Between the turn that gives it to a request and the request's own."""

    async def part(lines: Lines) -> None:
        line = await lines.free()
        line.close()
        with pytest.raises(Unusual):
            await asyncio.wait_for(line.ask("said", "too late"), 30)

    play(part)


def test_old_lines_are_replaced(play):
    """So that their server processes do not grow for ever."""

    async def part(lines: Lines) -> tuple[Any, ...]:
        for line in lines._lines:
            line._closes_at = 0.0
        before = await lines.all("backend")
        assert not lines._lines
        await connected(lines)
        return before, await lines.all("backend")

    before, after = play(part)
    assert before != after


def test_rows_that_are_asked_for_at_once_are_asked_for_together(play, monkeypatch):
    """Each gets its own, twice the same is no trouble, and what does not exist is None; one statement has a bound."""
    monkeypatch.setattr("readapi.together.MOST", 8)
    asked: list[str] = []
    ask = Line.ask

    def noting(line: Line, name: str, *parameters: str) -> Any:
        asked.append(name)
        return ask(line, name, *parameters)

    monkeypatch.setattr(Line, "ask", noting)

    async def part(lines: Lines) -> list[Any]:
        asked.clear()
        numbers = Together(lines, "numbers")
        return await asyncio.gather(*(numbers.row(str(number % 10)) for number in range(20)))

    found = play(part)
    assert [None if number % 10 == 0 else str(number % 10) for number in range(20)] == [row and row[0] for row in found]
    assert ["numbers"] * 3 == asked


def test_all_who_ask_together_go_the_long_way_together(play, monkeypatch):
    """Those whose statement fails, and those behind them when no line is left; the next ones are answered."""

    async def part(lines: Lines) -> list[Any]:
        wrong = Together(lines, "wrong")
        failed = await asyncio.gather(*(wrong.row("1") for _ in range(3)), return_exceptions=True)
        assert ["Unusual"] * 3 == [type(one).__name__ for one in failed]
        await connected(lines)
        return [await Together(lines, "numbers").row("7")]

    monkeypatch.setitem(QUERIES, "wrong", "select 1 / cardinality(array_remove(cast(:ids as text[]), '1'))")
    assert ["7"] == [row[0] for row in play(part)]
