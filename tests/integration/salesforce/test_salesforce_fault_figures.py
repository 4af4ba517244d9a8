"""Rows read and rows lost under every fault the stand-in knows, one after another on one database.

`pytest -s` on this file prints the table.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.salesforce_world import ELIGIBILITY, World

ACCOUNTS, ORDERS, CASES = 420, 50, 30
ROWS = ACCOUNTS + ORDERS + CASES


@dataclass(frozen=True)
class Trial:
    """A fault and where it strikes; `times` None: as long as the run lasts. `bulk`: in a full pull by Bulk."""

    kind: str
    match: str
    times: int | None = 1
    bulk: bool = False
    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        status = self.arguments.get("status", "")
        often = "once" if self.times == 1 else "for ever"
        return f"{self.kind} {status}".strip() + f", {often}" + (", bulk" if self.bulk else "")


PAGE = "/query/0r8"
TRIALS = [
    Trial("no fault", "never"),
    *(Trial(kind, PAGE) for kind in ("html", "empty_body", "truncated_json", "truncated_body", "wrong_type", "reset")),
    Trial("slow", PAGE, arguments={"seconds": 0.8}),
    *(
        Trial("status", PAGE, arguments={"status": f"{status} Edge", "body": b""})
        for status in (406, 420, 429, 502, 503, 504)
    ),
    *(
        Trial(kind, PAGE)
        for kind in (
            "server_unavailable",
            "unknown_exception",
            "lock_row",
            "concurrency_exceeded",
            "session_expired",
            "locator_invalid",
        )
    ),
    *(
        Trial(kind, PAGE, None)
        for kind in (
            "html",
            "truncated_body",
            "reset",
            "server_unavailable",
            "session_expired",
            "session_invalid_for_rest",
            "quota_exceeded",
            "permission",
            "api_disabled",
            "locator_invalid",
        )
    ),
    Trial("invalid_login", "oauth2", None),
    Trial("query_timeout", "FROM Account ", None, arguments={"days": 0.01}),
    *(Trial(kind, "jobs/query", 1, bulk=True) for kind in ("html", "reset", "truncated_json", "session_expired")),
    *(Trial(kind, "", 1, bulk=True) for kind in ("bulk_failed", "bulk_limit", "null_bytes")),
    Trial("quota_exceeded", "jobs/query", None, bulk=True),
]


@dataclass(frozen=True)
class Figures:
    """What one trial came to: the run under the fault, and the state of the tables after the run that follows."""

    name: str
    outcome: str
    read: int
    read_later: int
    lost: int
    missed: int
    twice: int


def test_nothing_is_lost_and_nothing_invented_under_any_fault(world: World) -> None:
    """Each trial changes all rows, runs with and without the fault: tables equal the org, each change notified once."""
    accounts = world.accounts(ACCOUNTS)
    orders = [world.order(account) for account in accounts[:ORDERS]]
    cases = [world.org.insert("Case", AccountId=account, Subject="NA") for account in accounts[:CASES]]
    world.limits["timeout_seconds"] = 0.5
    world.sync()
    figures = list(_figures(world, accounts, orders, cases))
    _print(figures)
    assert [(0, 0, 0)] * len(TRIALS) == [(trial.lost, trial.missed, trial.twice) for trial in figures]
    assert {"succeeded", "failed"} == {trial.outcome for trial in figures}


def _figures(world: World, accounts: list[str], orders: list[str], cases: list[str]) -> Iterator[Figures]:
    for number, trial in enumerate(TRIALS):
        world.later(minutes=30)
        known = len(world.transitions)
        _change(world, number, accounts, orders, cases)
        world.pulls["bulk_above_rows"] = 100 if trial.bulk else 50_000
        world.org.faults.add(trial.kind, trial.match, times=trial.times, **trial.arguments)
        under_it = world.sync(full=trial.bulk)
        world.org.faults.clear()
        after_it = world.sync()
        steps = [step[:2] for step in world.transitions[known:]]
        yield Figures(
            trial.name,
            under_it.outcome,
            _read(under_it.counts),
            _read(after_it.counts),
            len(world.lost()),
            ROWS - len(set(steps)),
            len(steps) - len(set(steps)),
        )


def _change(world: World, number: int, accounts: list[str], orders: list[str], cases: list[str]) -> None:
    odd = number % 2
    world.org.mass_update("Account", accounts, **{ELIGIBILITY: ("Eligible", "Ineligible")[odd]})
    world.org.mass_update("Order", orders, Status=("Approved", "Draft")[odd])
    world.org.mass_update("Case", cases, Status=("Working", "Escalated")[odd])


def _read(counts: dict[str, Any]) -> int:
    return sum(stream["read"] for name, stream in counts.items() if name != "transitions")


def _print(figures: list[Figures]) -> None:
    title = f"fault ({ROWS} rows changed)"
    lines = [f"{title:44}{'run':>11}{'read':>7}{'next run':>10}{'lost':>6}{'missed':>8}{'twice':>7}"]
    lines += [
        f"{trial.name:44}{trial.outcome:>11}{trial.read:>7}{trial.read_later:>10}{trial.lost:>6}"
        f"{trial.missed:>8}{trial.twice:>7}"
        for trial in figures
    ]
    sys.stdout.write("\n" + "\n".join(lines) + "\n")
