"""`status`: is everything well, and if not, what is not."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

import sql
from config import health
from config.health import span as span_of
from jobs.commands.held import as_json
from jobs.program import FAILED, SUCCESS, Program, answer, say
from jobs.runs import health as facts
from jobs.runs.dispatch import rules
from jobs.text import as_object, counted, in_seconds, written
from materializer import holds
from materializer.snapshot.streams import STREAMS

AT_MOST = 1000
"""Entries listed of each problem; the counts are of all."""


PROBLEMS = {
    "unknownWords": ("unknown word", "unknown words"),
    "linkConflicts": ("claim in conflict", "claims in conflict"),
    "portalIdConflicts": ("portal user id on several accounts", "portal user ids on several accounts"),
    "danglingLinks": ("dangling link", "dangling links"),
    "unlinkedClients": ("client without a customer", "clients without a customer"),
    "refusedRecords": ("record set aside", "records set aside"),
    "unreadableLinks": ("unreadable link", "unreadable links"),
    "failedCustomers": ("customer whose document failed", "customers whose document failed"),
    "incompleteStreams": ("incomplete stream", "incomplete streams"),
    "overdueJobs": ("overdue job", "overdue jobs"),
}


def command(program: Program, arguments: argparse.Namespace) -> int:
    """Prints the state of things; exit 0 when healthy, 1 when not."""
    with program.database() as engine, engine.connect() as connection:
        state = gather(connection, program, now=datetime.now(UTC))
    if arguments.json:
        answer(state)
    else:
        say(in_seconds("\n".join(in_words(state))))
    return SUCCESS if state["healthy"] else FAILED


def gather(connection: Connection, program: Program, *, now: datetime) -> dict[str, Any]:
    """The object that `status --json` prints; instants as text in UTC. config/health.py says what healthy means."""
    seen = facts.seen(connection)
    schedule, zone = program.tables.schedule, program.settings.zone
    reasons = health.judge(seen, schedule, zone, now)
    overdue = [as_object(vars(job)) for job in health.overdue(seen, schedule, zone, now)]
    problems = _problems(connection)
    return {
        "healthy": not reasons,
        "reasons": [vars(reason) for reason in reasons],
        "sources": _sources(connection, program, now),
        "lastRuns": _last_runs(connection),
        "facts": _facts(connection, now),
        "hints": _hints(connection),
        "eventChannels": _event_channels(connection),
        "held": [as_json(run) for run in holds.waiting(connection)],
        "nextDue": _next_due(program, now),
        "paused": _paused(connection, now),
        "notify": _guests(program),
        "proof": _proofs(connection),
        "documents": _documents(connection, program),
        "problems": problems | {"overdueJobs": overdue},
        "problemCounts": _problem_counts(connection, problems) | {"overdueJobs": len(overdue)},
    }


def in_words(state: Mapping[str, Any]) -> list[str]:
    """The same for people, one line per thing."""
    lines = ["healthy" if state["healthy"] else "NOT healthy"]
    for reason in state["reasons"]:
        lines += [f"  ! {reason['reason']}", f"    {reason['remedy']}"]
    for name, source in state["sources"].items():
        freshness = "never synced" if source["syncedAt"] is None else f"synced {source['syncedAt']}"
        counts = ", ".join(_counted(count, stream.replace("_", " ")) for stream, count in source["counts"].items())
        lines.append(f"  {name}: {freshness}{' (stale)' if source['isStale'] else ''}; {counts}")
        if source["error"]:
            lines.append(f"    last failure {source['failedAt']}: {source['error']}")
    lines += list(_facts_in_words(state["facts"]))
    lines += [f"  {line}" for line in _hints_in_words(state["hints"])]
    lines += [f"  {_event_channel_in_words(channel)}" for channel in state["eventChannels"]]
    for job, run in state["lastRuns"].items():
        error = f": {run['error']}" if run["error"] else ""
        lines.append(f"  last {job}: run {run['runId']} {run['outcome']} at {run['startedAt']}{error}")
    lines += [
        f"  held: run {held['runId']} by the {held['gate']} gate; see `me-status held list`" for held in state["held"]
    ]
    lines += [
        f"  {stream} differs from its source, proved through {proof['provedThrough'] or 'never'}: `me-status verify`"
        for stream, proof in state["proof"].items()
        if proof["verdict"] == "differs"
    ]
    lines += [f"  next {job}: {due}{_pause(state, job)}" for job, due in state["nextDue"].items()]
    if guests := state["notify"]:
        who = f"the {counted(guests['customers'], 'customer', 'customers')} of {guests['only']}"
        lines.append(f"  only {who} {'is' if guests['customers'] == 1 else 'are'} notified ([notify] of the schedule)")
    if of_other_rules := state["documents"]["ofOtherRules"]:
        lines.append(
            f"  {of_other_rules:,} of {state['documents']['count']:,} documents are of other rules than these: each "
            "refresh recomputes some, notifying nobody; `me-status rebuild` does all, `--dry-run` shows what differs"
        )
    problems = [counted(count, *PROBLEMS[name]) for name, count in state["problemCounts"].items() if count]
    if problems:
        lines.append(f"  {', '.join(problems)}: `me-status status --json` lists them")
    lines += [f"    {line}" for line in _first_of_each(state["problems"])]
    return lines


def _first_of_each(problems: Mapping[str, Any]) -> list[str]:
    """The first of what was set aside, by name, with the reason."""
    lines = [
        f"{row['stream']} {row['recordId']}: {row['field']} {row['reason']}" for row in problems["refusedRecords"][:1]
    ]
    lines += [f"link of {row['customerId']}: {row['text']!r}" for row in problems["unreadableLinks"][:1]]
    lines += [f"customer {row['customerId']}: {row['reason']}" for row in problems["failedCustomers"][:1]]
    return lines + [f"stream {row['stream']}: {row['reason']}" for row in problems["incompleteStreams"]]


def _pause(state: Mapping[str, Any], job: str) -> str:
    for pause in state["paused"]:
        if pause["job"] == job:
            until = f" until {pause['pausedUntil']}" if pause["pausedUntil"] else ""
            return f" (paused{until}{': ' + pause['reason'] if pause['reason'] else ''}; `me-status resume {job}`)"
    return ""


def _paused(connection: Connection, now: datetime) -> list[dict[str, Any]]:
    return [
        as_object(row) for row in connection.execute(sql.statement("operator/list_pauses"), {"now": now}).mappings()
    ]


def _sources(connection: Connection, program: Program, now: datetime) -> dict[str, Any]:
    counts = {row["stream"]: row for row in connection.execute(sql.statement("snapshot/count_snapshot")).mappings()}
    limits = program.tables.schedule.freshness_minutes
    sources = {}
    for row in connection.execute(sql.statement("ledger/list_source_states")).mappings():
        limit = timedelta(minutes=getattr(limits, row["source"]))
        streams = [stream.name for stream in STREAMS.values() if stream.source == row["source"]]
        sources[row["source"]] = {
            "syncedAt": written(row["synced_at"]),
            "isStale": row["synced_at"] is None or now - row["synced_at"] > limit,
            "failedAt": written(row["failed_at"]),
            "error": row["error"] if row["failed_at"] is not None else None,
            "counts": {name: counts[name]["records"] for name in streams},
        }
    return sources


def _facts(connection: Connection, now: datetime) -> dict[str, dict[str, Any]]:
    """Per stream the oldest reading that somebody's facts rest on, and how old it is."""
    return {
        row.stream: {
            "oldestReadAt": written(row.oldest_at),
            "ageSeconds": None if row.oldest_at is None else int((now - row.oldest_at).total_seconds()),
        }
        for row in connection.execute(sql.statement("snapshot/list_fact_ages"))
    }


def _facts_in_words(facts: Mapping[str, Any]) -> Iterator[str]:
    """One line: each stream with the age of its oldest facts."""
    ages = [f"{stream.replace('_', ' ')} {_age(age['ageSeconds'])}" for stream, age in facts.items()]
    if ages:
        yield f"  oldest facts: {', '.join(ages)}"


def _age(seconds: int | None) -> str:
    return "never read whole" if seconds is None else span_of(timedelta(seconds=max(seconds, 0)))


def _hints(connection: Connection) -> dict[str, Any]:
    """What waits, and what became of the others, by who gave them."""
    waiting = connection.execute(sql.statement("hints/read_waiting_hints")).one()
    counts: dict[str, dict[str, int]] = {}
    for row in connection.execute(sql.statement("hints/list_hint_counts")):
        counts.setdefault(row.origin, {})[row.outcome] = row.hints
    return {"waiting": waiting.waiting, "oldestAt": written(waiting.oldest_at), "counts": counts}


def _hints_in_words(hints: Mapping[str, Any]) -> Iterator[str]:
    if hints["waiting"]:
        yield f"hints: {hints['waiting']:,} waiting, the first since {hints['oldestAt']}"
    for origin, outcomes in hints["counts"].items():
        yield f"hints of {origin}: " + ", ".join(f"{number:,} {outcome}" for outcome, number in outcomes.items())


def _event_channels(connection: Connection) -> list[dict[str, Any]]:
    """The channels of Salesforce's events that are or were listened to."""
    return [as_object(row) for row in connection.execute(sql.statement("events/list_event_channels")).mappings()]


def _event_channel_in_words(channel: Mapping[str, Any]) -> str:
    heard = f"heard {channel['heardAt']}" if channel["heardAt"] else "never heard"
    counts = f"{channel['events']:,} events, {channel['broken']:,} broken, lost {channel['lost']:,} times"
    failed = f"; failing since {channel['failedAt']}: {channel['error']}" if channel["error"] else ""
    left = "" if channel["deliveriesLeft"] is None else f"; {channel['deliveriesLeft']:,} deliveries left of the day's"
    return f"events of {channel['topic']}: {heard}; {counts}{left}{failed}"


def _proofs(connection: Connection) -> dict[str, dict[str, Any]]:
    """Per stream through which instant it is proved equal to its source, and what the last comparison said."""
    rows = connection.execute(sql.statement("proof/list_proofs")).mappings()
    return {row["stream"]: {name: value for name, value in as_object(row).items() if name != "stream"} for row in rows}


def _last_runs(connection: Connection) -> dict[str, dict[str, Any]]:
    return {
        row["job"]: {
            "runId": row["run_id"],
            "startedAt": written(row["started_at"]),
            "finishedAt": written(row["finished_at"]),
            "outcome": row["outcome"],
            "counts": row["counts"],
            "error": row["error"],
        }
        for row in connection.execute(sql.statement("ledger/list_last_run_of_each_job")).mappings()
    }


def _documents(connection: Connection, program: Program) -> dict[str, int]:
    """How many there are, and how many wait for a rebuild since rules, copy or the business zone changed."""
    version = rules(program.settings, program.tables).version
    row = connection.execute(sql.statement("refresh/count_documents"), {"rules_version": version}).one()
    return {"count": row.documents, "ofOtherRules": row.of_other_rules}


def _guests(program: Program) -> dict[str, Any] | None:
    """The file that names who alone is notified, and how many that are; None: everybody is."""
    guests = program.tables.guests
    return None if guests is None else {"only": program.tables.schedule.notify.only, "customers": len(guests)}


def _next_due(program: Program, now: datetime) -> dict[str, str | None]:
    jobs = program.tables.schedule.jobs
    return {job: written(timing.slot_after(now, program.settings.zone)) for job, timing in jobs.items()}


def _problems(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    def listed(statement: str, **parameters: object) -> list[dict[str, Any]]:
        rows = connection.execute(sql.statement(statement), {"at_most": AT_MOST, **parameters}).mappings()
        return [as_object(row) for row in rows]

    return {
        "unknownWords": listed("snapshot/list_unknown_words"),
        "linkConflicts": listed("snapshot/list_noted_link_problems", problem="conflict"),
        "portalIdConflicts": listed("snapshot/list_portal_id_conflicts"),
        "danglingLinks": listed("snapshot/list_noted_link_problems", problem="dangling"),
        "unlinkedClients": [
            {"clientId": row["clientId"]}
            for row in listed("snapshot/list_noted_link_problems", problem="unlinked_client")
        ],
        "refusedRecords": listed("snapshot/list_set_aside_records"),
        "unreadableLinks": listed("snapshot/list_unreadable_links"),
        "failedCustomers": listed("refresh/list_failed_customers"),
        "incompleteStreams": listed("snapshot/list_incomplete_streams"),
    }


def _problem_counts(connection: Connection, problems: Mapping[str, Sequence[Any]]) -> dict[str, int]:
    """How many there are of each; `problems` are those listed."""
    links: dict[str, int] = dict(connection.execute(sql.statement("snapshot/count_noted_link_problems")).all())
    others = connection.execute(sql.statement("snapshot/count_problems")).one()
    return {
        "unreadableLinks": others.unreadable_links,
        "failedCustomers": others.failed_customers,
        "incompleteStreams": others.incomplete_streams,
        "unknownWords": len(problems["unknownWords"]),
        "linkConflicts": links.get("conflict", 0),
        "portalIdConflicts": len(problems["portalIdConflicts"]),
        "danglingLinks": links.get("dangling", 0),
        "unlinkedClients": links.get("unlinked_client", 0),
        "refusedRecords": int(connection.execute(sql.statement("snapshot/count_set_aside_records")).scalar_one()),
    }


def _counted(count: int, stream: str) -> str:
    return counted(count, stream, f"{stream}s")
