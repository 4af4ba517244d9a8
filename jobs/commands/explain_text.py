"""What `explain` found, for people: aligned, the most useful first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

AT_MOST = 20
"""Lines of one section; `--json` has more."""
REASONS = {
    "window": "one was sent within its window",
    "held": "an identical one waits in a held run",
    "discarded": "the operator discarded its run",
    "not_a_guest": "only the customers of the guest list were notified",
}


def in_words(found: dict[str, Any]) -> Iterator[str]:
    """Line by line."""
    merged = f", to which {found['mergedAccount']} was merged" if found["mergedAccount"] else ""
    yield f"customer {found['customerId']}{merged}"
    yield from _columns(_head(found))
    yield from _section("what the sources say", _values(found))
    if found["isCustomer"]:
        yield from _section("tasks", (_task(task) for task in found["tasks"]))
        yield from _section("reminders ahead", (_reminder(one) for one in found["reminders"]))
    yield from _section("notifications", (_notification(one) for one in found["notifications"]))
    yield from _section("not sent", _not_sent(found))
    yield from _section("transitions", ((step_in_words(step),) for step in found["transitions"]))


def step_in_words(step: dict[str, Any]) -> str:
    """'account 001... eligibility_status Pending -> Eligible, observed at ...'."""
    what = f"{step['entity']} {step['entityId']} {step['field']} {step['oldValue']} -> {step['newValue']}"
    calls = f", calls for {step['notificationType']}" if step["notificationType"] else ""
    return f"{what}, seen by run {step['runId']} at {step['observedAt']}{calls}{_pending(step)}"


def _pending(step: dict[str, Any]) -> str:
    return ", waits for the next refresh" if step["isPending"] else ""


def _head(found: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    link, change = found["link"], found["nextChange"]
    yield ("as of", f"{found['asOf']}, which is {found['today']} in {found['timeZone']}")
    yield ("link", f"{link['state'] or 'no customer'}: {link['why']}")
    yield ("document", _document(found["document"]))
    yield ("next change", f"{change['at']}: {change['why']}" if change["at"] else change["why"])


def _document(document: dict[str, Any]) -> str:
    if document["computedAt"] is None:
        return "none" + ("; the next refresh makes it" if document["markedAt"] else "")
    computed = f"computed at {document['computedAt']} by run {document['runId']}"
    if document["markedAt"]:
        return f"{computed}; facts changed at {document['markedAt']}, the next refresh computes it anew"
    return computed + (
        "" if document["isCurrent"] is not False else "; time has changed it, the next refresh computes it anew"
    )


def _values(found: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    ages = {one["stream"]: _age(one) for one in found["sources"]}
    for name, value in found["account"].items():
        word = "empty" if value["word"] is None else repr(value["word"])
        known = f", last known {value['lastKnown']}" if value["status"] == "unknown" else ""
        yield (name, f"{value['status']}{known}", f"{value['field']} is {word}", ages.get("account", "never pulled"))
    for row in found["records"]:
        detail = " ".join(filter(None, (row["detail"], row["dueOn"])))
        yield (f"{row['kind']} {row['recordId']}", str(row["status"]), detail, ages.get(row["kind"], "never pulled"))


def _age(one: dict[str, Any]) -> str:
    if one["ageSeconds"] is None:
        return "never read"
    minutes = max(one["ageSeconds"], 0) // 60
    days, hours = minutes // 1440, minutes // 60
    span = f"{minutes} min" if minutes < 120 else f"{hours} h" if hours < 48 else f"{days} days"
    return f"read {span} ago"


def _task(task: dict[str, Any]) -> tuple[str, ...]:
    return ("yes" if task["applies"] else "no", task["type"], task["id"] or "", task["why"])


def _reminder(one: dict[str, Any]) -> tuple[str, ...]:
    return (one["nextAt"] or "not yet", f"{one['type']} {one['sourceId']}", one["why"])


def _notification(one: dict[str, Any]) -> tuple[str, ...]:
    ended = f"; over since {one['resolvedAt']}" if one["resolvedAt"] else ""
    again = f"; an identical one is suppressed until {one['sameAgainFrom']}" if one["isWithinWindow"] else ""
    return (one["createdAt"], f"{one['type']} {one['sourceId']}", f"{one['why']}{ended}{again}")


def _not_sent(found: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for one in found["waiting"]:
        where = f"waits in held run {one['runId']}" if one["isHeld"] else "is about to be sent"
        yield (one["decidedAt"], f"{one['type']} {one['sourceId']}", where)
    for one in found["suppressed"]:
        passes = f", passes from {one['passesAt']}" if one["passesAt"] else ""
        yield (one["suppressedAt"], f"{one['type']} {one['sourceId']}", f"{REASONS[one['reason']]}{passes}")


def _section(title: str, rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    listed = list(rows)
    yield f"\n{title}"
    yield from _columns(listed[:AT_MOST] or [("none",)])
    if len(listed) > AT_MOST:
        yield f"  and {len(listed) - AT_MOST} more: --json"


def _columns(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """All but the last column as wide as their widest text."""
    listed = list(rows)
    most = max((len(row) for row in listed), default=0)
    widths = [max((len(row[at]) for row in listed if len(row) > at + 1), default=0) for at in range(most)]
    for row in listed:
        cells = [text.ljust(widths[at]) for at, text in enumerate(row[:-1])]
        yield "  " + "  ".join([*cells, row[-1]]).rstrip()
