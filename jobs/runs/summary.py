"""What a run did, in plain words: "12 invoices due, 15 notifications, 2 suppressed by dedupe"."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

import sql
from jobs.text import counted

BECAME = {
    ("account", "eligibility_status"): ("customer became {}", "customers became {}"),
    ("account", "verification_status"): ("verification became {}", "verifications became {}"),
    ("order", "status"): ("order became {}", "orders became {}"),
    ("order", "activation_status"): ("order activation became {}", "order activations became {}"),
    ("service", "status"): ("service became {}", "services became {}"),
    ("service", "cancellation_requested"): ("cancellation requested", "cancellations requested"),
    ("invoice", "status"): ("invoice became {}", "invoices became {}"),
    ("case", "status"): ("case became {}", "cases became {}"),
}
ABOUT = {
    "ELIGIBILITY_ELIGIBLE": ("customer notified of eligibility", "customers notified of eligibility"),
    "ELIGIBILITY_INELIGIBLE": ("customer notified of ineligibility", "customers notified of ineligibility"),
    "VERIFICATION_VERIFIED": ("verification accepted", "verifications accepted"),
    "VERIFICATION_REJECTED": ("verification rejected", "verifications rejected"),
    "ORDER_APPROVED": ("order approved", "orders approved"),
    "ORDER_ACTIVATED": ("order activated", "orders activated"),
    "ORDER_FAILED": ("order failed", "orders failed"),
    "CANCELLATION_SCHEDULED": ("cancellation scheduled", "cancellations scheduled"),
    "CANCELLATION_COMPLETE": ("cancellation complete", "cancellations complete"),
    "PAYMENT_METHOD_EXPIRING": ("card expiring", "cards expiring"),
    "INVOICE_DUE": ("invoice due", "invoices due"),
    "SYSTEM_ANNOUNCEMENT": ("announcement", "announcements"),
}


def transitions_of(connection: Connection, run_id: int, now: datetime) -> list[dict[str, Any]]:
    """What the run observed: entity, field, old_value, new_value, transitions (how many), samples, customers (ids)."""
    rows = connection.execute(sql.statement("snapshot/summarise_transitions"), {"run_id": run_id, "now": now})
    return [dict(row) for row in rows.mappings()]


def notifications_of(connection: Connection, run_id: int, now: datetime) -> list[dict[str, Any]]:
    """What the run sent: type, notifications (how many), recipients (customers), samples (their ids)."""
    rows = connection.execute(sql.statement("outbox/summarise_notifications"), {"run_id": run_id, "now": now})
    return [dict(row) for row in rows.mappings()]


def documents_of(connection: Connection, run_id: int) -> dict[str, Any]:
    """Whose documents the run wrote: customers (how many), samples (ids)."""
    row = connection.execute(sql.statement("refresh/summarise_documents"), {"run_id": run_id}).one()
    return {"customers": row.customers, "samples": row.samples or []}


def marks_at(connection: Connection, now: datetime) -> dict[str, Any]:
    """Who waits for a refresh: customers (how many), samples (ids of some marked at `now`)."""
    return dict(connection.execute(sql.statement("snapshot/summarise_marks"), {"now": now}).mappings().one())


def set_aside_in(counts: Any) -> int:
    """How many records were set aside, or customers failed, wherever the counts say so."""
    if isinstance(counts, Mapping):
        own = counts.get("set_aside", counts.get("failed"))
        return (own if isinstance(own, int) else 0) + sum(
            set_aside_in(value) for name, value in counts.items() if name != "set_aside" or not isinstance(value, int)
        )
    return 0


def in_words(job: str, counts: Mapping[str, Any], transitions: list[dict[str, Any]]) -> str:
    """One line about a finished run."""
    parts = _became(transitions)
    if job == "refresh":
        parts += _refreshed(counts)
    elif job == "prune":
        parts += [f"{count:,} {name.replace('_', ' ')} removed" for name, count in counts.items() if count]
    else:
        parts += _records(counts)
    return ", ".join(parts) or "nothing changed"


def _became(transitions: list[dict[str, Any]]) -> list[str]:
    totals: dict[tuple[str, str], int] = {}
    for row in transitions:
        words = BECAME.get((row["entity"], row["field"]))
        if words is not None and row["new_value"] is not None:
            word = str(row["new_value"]).replace("_", " ")
            key = (words[0].format(word), words[1].format(word))
            totals[key] = totals.get(key, 0) + row["transitions"]
    return [counted(count, one, many) for (one, many), count in totals.items()]


def _refreshed(counts: Mapping[str, Any]) -> list[str]:
    sent, suppressed = counts.get("sent", {}), sum(counts.get("suppressed", {}).values())
    parts = [counted(count, *ABOUT.get(kind, (kind, kind))) for kind, count in sent.items() if count]
    parts.append(counted(counts.get("changed", 0), "document changed", "documents changed"))
    if counts.get("failed"):
        parts.append(counted(counts["failed"], "customer failed", "customers failed"))
    if counts.get("recomputed"):
        parts.append(f"{counts['recomputed']:,} of other rules recomputed")
    if counts.get("removed"):
        parts.append(counted(counts["removed"], "customer removed", "customers removed"))
    parts.append(counted(sum(sent.values()), "notification", "notifications"))
    if suppressed:
        parts.append(f"{suppressed:,} suppressed by dedupe")
    if counts.get("resolved"):
        parts.append(f"{counts['resolved']:,} resolved")
    return parts


def _records(counts: Mapping[str, Any]) -> list[str]:
    totals = {
        name: sum(part.get(name, 0) for part in _streams(counts))
        for name in ("added", "changed", "removed", "set_aside")
    }
    return [f"{count:,} {'record' if count == 1 else 'records'} {name}" for name, count in totals.items() if count]


def _streams(counts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    nested = [value for value in counts.values() if isinstance(value, Mapping)]
    return [part for value in nested for part in ([value] if "added" in value else _streams(value))]


# What a gate held -----------------------------------------------------------------------------------------------------


def of_held(gate: str | None, summary: dict[str, Any]) -> Iterable[str]:
    """What a gate held, in words: what would happen, to how many, and which limit tripped."""
    return _flood(summary) if gate == "flood" else _shrink(summary)


def _flood(summary: dict[str, Any]) -> Iterator[str]:
    yield "  it would send"
    for kind, of in summary["types"].items():
        count = counted(of["notifications"], "notification", "notifications")
        people = counted(of["recipients"], "customer", "customers")
        most = f"the most one run sent in {summary['days']} days: {of['mostSent']:,}"
        limit = f"{'beyond' if of['isBeyondLimit'] else 'within'} the limit of {of['limit']:,} ({most})"
        yield f"    {kind}: {count} to {people}, {limit}"
        yield f'      "{of["title"]}", such as to {", ".join(of["customers"])}'


def _shrink(summary: dict[str, Any]) -> Iterator[str]:
    rows = {tripped["stream"]: tripped["rows"] for tripped in summary["tripped"]}
    limit = summary["limit"]
    yield "  it would remove"
    for stream, missing in summary["removals"].items():
        beyond = f" of {rows[stream]:,}, too many (the gate holds {limit['percent']:g} % and {limit['rows']} rows)"
        samples = ", ".join(str(key) for key in summary["samples"].get(stream, ()))
        count = counted(missing, "record", "records") + (beyond if stream in rows else "")
        yield f"    {stream}: {count}, such as {samples}"


# In detail ------------------------------------------------------------------------------------------------------------


def details(
    job: str,
    counts: Mapping[str, Any],
    concerned: Mapping[str, Any] | None,
    transitions: list[dict[str, Any]],
    notifications: list[dict[str, Any]],
) -> list[str]:
    """What a run did, a line per stream, transition and notification type, with counts and a few ids."""
    lines = [] if job in ("refresh", "prune") else _of_streams(counts)
    if concerned is not None and concerned["customers"]:
        what = "documents would change" if job == "refresh" else "customers would be marked for a refresh"
        lines.append(f"  {concerned['customers']:,} {what}, such as {', '.join(concerned['samples'])}")
    for row in transitions:
        change = f"{row['entity']} {row['field']} {row['old_value']} -> {row['new_value']}"
        lines.append(f"  {row['transitions']:,} x {change}, such as {', '.join(row['samples'])}")
    for row in notifications:
        people = counted(row["recipients"], "customer", "customers")
        lines.append(f"  {row['notifications']:,} x {row['type']} to {people}, such as {', '.join(row['samples'])}")
    suppressed = counts.get("suppressed", {}) if job == "refresh" else {}
    return lines + [f"  {count:,} x {kind} suppressed by dedupe" for kind, count in suppressed.items()]


def _of_streams(counts: Mapping[str, Any]) -> list[str]:
    lines = []
    for stream, part in counts.items():
        if isinstance(part, Mapping) and "added" in part:
            parts = [
                f"{part[name]:,} {name}" for name in ("added", "changed", "removed", "set_aside") if part.get(name)
            ]
            lines += [f"  {stream}: {', '.join(parts)} of {part['read']:,} read"] if parts else []
    return lines
