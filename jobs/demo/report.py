"""What the demo prints: a few lines per day, the count of everything that occurred, and where to look."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from pydantic import SecretStr
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from config.types import NOTIFICATION_TYPES, TASK_TYPES
from jobs.demo.live import Acted
from jobs.demo.play import Day, Play
from jobs.demo.stage import AUDIENCE, ISSUER, Stage

MOST_EVENTS = 12


def opening(console: Console, stage: Stage, days: int) -> None:
    """What is about to be played, and that it touches nothing of the operator's."""
    console.print(
        f"[bold]me-status demo[/bold]: {stage.population.customers:,} made-up customers over {days} simulated days "
        f"from {stage.population.start}, zone {stage.population.zone.key}."
    )
    console.print(
        "Salesforce and WHMCS are stand-ins on loopback; the database is embedded and made anew in "
        f"{escape(str(stage.program.settings.me_status_home))}. DATABASE_URL and real credentials are not read.\n"
    )


def day(console: Console, number: int | None, played: Day) -> None:
    """One day as a small tree."""
    name = f"Day {number}" if number is not None else "Now"
    times = f"{played.runs} {'run' if played.runs == 1 else 'runs'} in {played.seconds:.1f} s"
    tree = Tree(f"[bold]{name}[/bold] · {played.on:%a %d %b %Y} · {times}")
    if played.events:
        sources = tree.add("in Salesforce and WHMCS")
        for line in played.events[:MOST_EVENTS]:
            sources.add(escape(line))
        if len(played.events) > MOST_EVENTS:
            sources.add(f"and {len(played.events) - MOST_EVENTS} more")
    tree.add("records applied: " + _listed(played.records))
    messages = tree.add(
        f"notifications: {sum(played.sent.values()):,}; {played.suppressed:,} suppressed by dedupe, "
        f"{played.resolved:,} resolved"
    )
    if played.sent:
        messages.add(_listed(played.sent))
    for line in played.operator:
        tree.add(f"[yellow]{escape(line)}[/yellow]")
    for line in played.failed:
        tree.add(f"[red]failed[/red] {escape(line)}")
    console.print(tree)
    console.print()


def totals(console: Console, play: Play) -> None:
    """Whether all twelve notification types and all six tasks occurred."""
    table = Table("notification", "sent", "task", "on dashboards now", box=None, pad_edge=False, header_style="bold")
    rows = list(NOTIFICATION_TYPES)
    tasks = [*TASK_TYPES, *[""] * (len(rows) - len(TASK_TYPES))]
    for kind, task in zip(rows, tasks, strict=True):
        now = f"{play.tasks.get(task, 0):,}" if task else ""
        seen = " (seen before)" if task and not play.tasks.get(task) and play.tasks_seen[task] else ""
        table.add_row(kind, f"{play.notifications.get(kind, 0):,}", task, now + seen)
    console.print(table)
    if play.missing:
        console.print(f"[red]Missing: {', '.join(play.missing)}[/red]\n")
    else:
        console.print(
            f"[green]All {len(NOTIFICATION_TYPES)} notification types and {len(TASK_TYPES)} tasks occurred.[/green]\n"
        )


def tasks(console: Console, customer: str, document: dict[str, Any]) -> None:
    """The tasks of the answer of GET /api/me/status."""
    console.print(f"GET /api/me/status answered for customer [bold]{customer}[/bold]:")
    for task in document["tasks"]:
        console.print(
            f"  {task['priority']}. \\[{task['tone']}] {escape(task['title'])}: {escape(task['description'])} "
            f"-> {escape(task['actionLabel'])} {task['actionUrl']}"
        )
    freshness = document["freshness"]
    console.print(f"  computed {freshness['computedAt']}, stale: {freshness['isStale']}\n")


def acted(console: Console, did: Iterable[Acted]) -> None:
    """What customers did by way of the portal, and how soon their own answer said so."""
    for one in did:
        served = "not served within a minute" if one.seconds is None else f"served {one.seconds:.1f} s later"
        console.print(f"Customer [bold]{one.customer}[/bold] {one.what} and asked for a refresh: {served}")
    console.print()


def where_to_look(console: Console, stage: Stage, token: str, database_url: str, port: int, *, once: bool) -> None:
    """Copyable lines; token and keys are the demo's own and worth nothing elsewhere. After `once` nothing runs any
    more, so the first of the lines starts it again."""
    settings = stage.program.settings
    ops = _revealed(settings.me_status_ops_token)
    base = f"http://127.0.0.1:{port}"
    command = shutil.which("me-status") or str(Path(sys.executable).with_name("me-status"))
    at_home = _assigned(ME_STATUS_HOME=settings.me_status_home, ME_STATUS_TIMEZONE=settings.me_status_timezone)
    keys = _assigned(
        ME_STATUS_JWT_KEY=_revealed(settings.me_status_jwt_key),
        ME_STATUS_JWT_ISSUER=ISSUER,
        ME_STATUS_JWT_AUDIENCE=AUDIENCE,
        ME_STATUS_OPS_TOKEN=ops,
    )
    if once:
        console.print("The database stops with this command. This brings it and the API back, for the lines below:")
        _plainly(console, f"serve      {at_home} {keys} {command} serve --port {port}")
    for line in (
        f"database   {database_url}",
        f"psql       psql '{database_url}' -c 'table notification limit 10'",
        f"token      {token}",
        f"curl       curl -H 'Authorization: Bearer {token}' {base}/api/me/status",
        f"operator   curl -H 'Authorization: Bearer {ops}' {base}/ops   (or /metrics)",
        f"commands   {at_home} {command} export me_status --to me_status.csv",
    ):
        _plainly(console, line)


def _plainly(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def _assigned(**values: object) -> str:
    return " ".join(f"{name}={shlex.quote(str(value))}" for name, value in values.items())


def _revealed(secret: SecretStr | None) -> str:
    assert secret is not None
    return secret.get_secret_value()


def token_for(stage: Stage, customer: str) -> str:
    """A bearer token of the shown customer, valid for 12 hours."""
    key = _revealed(stage.program.settings.me_status_jwt_key)
    now = datetime.now(UTC)
    claims = {"sub": customer, "iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + timedelta(hours=12)}
    return jwt.encode(claims, key, algorithm="HS256")


def _listed(counts: Any) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count) or "nothing new"
