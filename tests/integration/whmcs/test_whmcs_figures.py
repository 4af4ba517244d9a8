"""Rows read and lost under every fault and quirk, as one table (shown with `pytest -s`): lost is 0 throughout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.whmcs_world import LISTS, TABLES, World, moved


def fault(kind: str, **arguments: Any) -> Callable[[World], None]:
    """Every list fails once in its midst."""

    def misbehave(world: World) -> None:
        for action in LISTS:
            world.install.faults.add(kind, action, after=1, **arguments)

    return misbehave


def quirk(**switches: Any) -> Callable[[World], None]:
    return lambda world: world.quirk(**switches)


def poison(world: World) -> None:
    """Every seventh row of every list but the pay methods."""
    for stream in ("client", "service", "invoice", "cancellation"):
        for key in world.keys(stream)[::7]:
            world.install.poison(TABLES[stream], key)


SITUATIONS: dict[str, Callable[[World], None]] = {
    "none": lambda _: None,
    "HTML 200": fault("html"),
    "HTML 403": fault("waf_403"),
    "emitter 500": fault("emitter_500"),
    "Imunify text": fault("imunify_text"),
    "429": fault("status", status="429 Too Many Requests"),
    "503": fault("status"),
    "empty body": fault("empty_body"),
    "truncated JSON": fault("truncated_json"),
    "truncated body": fault("truncated_body"),
    "wrong content type": fault("wrong_type"),
    "reset": fault("reset"),
    "too slow": fault("slow", seconds=1.2),
    "ids mixed, counters text": quirk(ids="mixed", counters="str"),
    "single rows as objects": quirk(single_as_object=True),
    "lists as maps": quirk(numeric_keys=True),
    "flat keys": quirk(flat_keys=True),
    "encoded text": quirk(encoded_text=True),
    "no zero dates": quirk(empty_date="null"),
    "page cap 5": quirk(page_cap=5),
    "neighbours swapped": quirk(tie_order="neighbours"),
    "shuffled": quirk(tie_order="shuffled"),
    "version 8.0, shuffled": quirk(version="8.0", tie_order="shuffled"),
    "every 7th row no UTF-8": poison,
}


def test_nothing_is_lost_under_any_fault(world: World) -> None:
    """The whole population arrives each time, and nothing of it changes between one misbehaviour and the next."""
    world.limits["timeout_seconds"] = 1.0
    world.sync()
    known = world.snapshot()
    held = sum(len(world.keys(stream)) for stream in TABLES)
    figures: list[tuple[str, int, int, int]] = []
    for name, misbehave in SITUATIONS.items():
        world.requests.clear()
        misbehave(world)
        report = world.sync(full=True)
        assert ("succeeded", {}) == (report.outcome, moved(report)), f"{name}: {report.error}"
        read = sum(report.counts[stream]["read"] for stream in TABLES)
        figures.append((name, read, sum(map(len, world.lost.values())), len(world.requests)))
        world.well()
    print(f"\n{'situation':28}{'rows':>6}{'lost':>6}{'requests':>10}")  # noqa: T201 - the figures are the point
    for name, read, lost, requests in figures:
        print(f"{name:28}{read:6}{lost:6}{requests:10}")  # noqa: T201
    assert [(name, held, 0) for name in SITUATIONS] == [figure[:3] for figure in figures]
    assert ([], known) == (world.transitions, world.snapshot())
