"""The document a customer should have, written from the contract's Definitions alone: plain dictionaries and loops.

Nothing of the product is imported here, and nothing is optimised: what a day says is worked out anew each time.
`known` is a dictionary of what is known of one customer (see `Reference.known_of`); lists are None when not known.
"""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

CONFIG = Path(__file__).resolve().parents[3] / "config"
TASKS = tomllib.loads((CONFIG / "tasks.toml").read_text())
NOTIFICATIONS = tomllib.loads((CONFIG / "notifications.toml").read_text())
COPY = tomllib.loads((CONFIG / "copy" / "en.toml").read_text())
FIELDS = tomllib.loads((CONFIG / "fields.toml").read_text())
ENDED = ("Cancelled", "Terminated")
WAS_ACTIVE = ("Active", "Suspended", "Completed", "Terminated")


def local_date(now: datetime, zone: ZoneInfo) -> date:
    """Today: the date in the business zone."""
    return now.astimezone(zone).date()


@lru_cache(maxsize=100_000)
def day_begins(day: date, zone: ZoneInfo) -> datetime:
    """The first instant whose local date is `day` or later, found by walking: all zones' shifts are whole quarters."""
    at = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=16)
    while at.astimezone(zone).date() < day:
        at += timedelta(minutes=15)
    return at


def instant(at: datetime | None) -> str | None:
    """RFC 3339 in UTC, ending in Z."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def owed(invoice: dict[str, Any]) -> Decimal | None:
    """What is still to pay: the balance; the total where it was not asked for, as in the truth machine."""
    found: Decimal | None = invoice.get("balance", invoice["total"])
    return found


def is_unpaid(invoice: dict[str, Any]) -> bool:
    """Unpaid, with something left to pay."""
    still = owed(invoice)
    return invoice["status"] == "Unpaid" and (still is None or still > 0)


def is_due(invoice: dict[str, Any], today: date) -> bool:
    """Unpaid with a due date no later than today + 7 days, overdue included."""
    return is_unpaid(invoice) and invoice["due"] is not None and invoice["due"] <= today + timedelta(days=7)


def is_order_open(order: dict[str, Any]) -> bool:
    """In progress: not draft, not closed, neither activated nor failed, and known."""
    return order["stage"] in ("in_progress", "approved")


def document(customer: str, known: dict[str, Any], now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """The whole document but `freshness`."""
    account = known["account"]
    today = local_date(now, zone)
    return {
        "customerId": customer,
        "summary": {
            "stats": stats(known, today),
            "nextInvoice": next_invoice(known, today),
            "recentActivity": activity(known, zone, now),
        },
        "internetEligibility": {
            "status": account["eligibility_status"],
            "eligibility": account["eligibility"],
            "requestedAt": instant(account["eligibility_requested"]),
            "checkedAt": instant(account["eligibility_checked"]),
            "notes": account["eligibility_notes"],
        },
        "residenceCardVerification": {
            "status": account["verification_status"],
            "submittedAt": instant(account["verification_submitted"]),
            "reviewedAt": instant(account["verification_reviewed"]),
            "reviewerNotes": account["verification_notes"],
        },
        "paymentMethods": {"totalCount": None if known["cards"] is None else len(known["cards"])},
        "billing": {"state": known["billing"]},
        "tasks": tasks(known, today),
    }


def parts_of_the_day(known: dict[str, Any], today: date) -> list[Any]:
    """All that depends on the date: which unpaid invoices are due and which overdue, the rest follows from them."""
    unpaid = [one for one in known["invoices"] or [] if is_unpaid(one) and one["due"] is not None]
    return [(one["id"], is_due(one, today), one["due"] < today) for one in unpaid]


def stats(known: dict[str, Any], today: date) -> dict[str, Any]:
    """Counts and the amount due; None for what is not known."""
    found: dict[str, Any] = dict.fromkeys(
        ("activeSubscriptions", "unpaidInvoices", "overdueInvoices", "amountDue", "currency", "openCases", "openOrders")
    )
    if known["services"] is not None and all(one["status"] is not None for one in known["services"]):
        found["activeSubscriptions"] = len([one for one in known["services"] if one["status"] == "Active"])
    if known["cases"] is not None:
        found["openCases"] = len([one for one in known["cases"] if one["closed"] is False])
    if known["orders"] is not None and all(one["stage"] != "unknown" for one in known["orders"]):
        found["openOrders"] = len([one for one in known["orders"] if is_order_open(one)])
    are_known = known["invoices"] is not None and all(one["status"] is not None for one in known["invoices"])
    if are_known and not known["has_unreadable_invoice"]:
        unpaid = [one for one in known["invoices"] if is_unpaid(one)]
        found["unpaidInvoices"] = len(unpaid)
        found["overdueInvoices"] = len([one for one in unpaid if one["due"] is not None and one["due"] < today])
        found["amountDue"], found["currency"] = amount_due(unpaid)
    return found


def amount_due(unpaid: list[dict[str, Any]]) -> tuple[str | None, str | None]:
    """The exact sum with the source's digits; None where it would mean nothing."""
    if not unpaid:
        return "0.00", None
    currencies = {one["currency"] or None for one in unpaid}
    if len(currencies) > 1:
        return None, None
    currency = currencies.pop()
    balances = [balance for one in unpaid if (balance := owed(one)) is not None]
    if len(balances) < len(unpaid):
        return None, currency
    total = balances[0]
    for balance in balances[1:]:
        total = total + balance
    return f"{total:f}", currency


def next_invoice(known: dict[str, Any], today: date) -> dict[str, Any] | None:
    """Of the unpaid ones that can be shown: earliest due date, then lowest id."""
    best = None
    if known["has_unreadable_invoice"]:
        return None
    for one in known["invoices"] or []:
        if one["status"] is None:
            return None
        if not is_unpaid(one) or None in (one["due"], owed(one)):
            continue
        if best is None or (one["due"], one["id"]) < (best["due"], best["id"]):
            best = one
    if best is None:
        return None
    return {
        "id": best["id"],
        "number": best["number"],
        "dueDate": best["due"].isoformat(),
        "amount": f"{owed(best):f}",
        "currency": best["currency"],
        "isOverdue": best["due"] < today,
    }


def tasks(known: dict[str, Any], today: date) -> list[dict[str, Any]]:
    """The to-do list in the seed's order."""
    found = []
    due = sorted(
        (one for one in known["invoices"] or [] if is_due(one, today)), key=lambda one: (one["due"], one["id"])
    )
    if due:
        found.append(invoice_task(due, today))
    if known["cards"] == []:
        found.append(task("add-payment-method", "add_payment_method", 2, {}, {}))
    for order in sorted(known["orders"] or [], key=lambda one: one["id"]):
        if is_order_open(order):
            about = {"orderId": order["id"]} | ({"orderNumber": order["number"]} if order["number"] else {})
            words = {"order_number": order["number"] or order["id"]}
            found.append(task(f"order-{order['id']}", "order_in_progress", 3, about, words))
    if known["account"]["eligibility_status"] == "pending":
        found.append(task("eligibility-pending", "eligibility_pending", 4, {}, {}))
    if known["account"]["verification_status"] == "rejected":
        found.append(task("verification-rejected", "verification_rejected", 5, {}, {}))
    has_no_order = known["orders"] is not None and not [one for one in known["orders"] if one["stage"] != "draft"]
    if known["has_unreadable_invoice"]:
        return found
    if not found and (known["billing"] == "none" or known["services"] == []) and has_no_order:
        found.append(task("onboarding", "onboarding", 6, {}, {}))
    return found


def invoice_task(due: list[dict[str, Any]], today: date) -> dict[str, Any]:
    """One task for the invoice due first; the others are counted."""
    first = due[0]
    about: dict[str, Any] = {"invoiceId": first["id"], "dueDate": first["due"].isoformat()}
    if owed(first) is not None:
        about["amount"] = f"{owed(first):f}"
    if first["currency"]:
        about["currency"] = first["currency"]
    about["otherInvoices"] = len(due) - 1
    if first["number"]:
        about["invoiceNumber"] = first["number"]
    amount = money(owed(first), first["currency"]) or COPY["words"]["unknown_amount"]
    words = {"invoice_number": first["number"] or first["id"], "amount": amount, "due_on": f"{first['due']:%B %-d, %Y}"}
    copy = "invoice_overdue" if first["due"] < today else "invoice_due"
    return task(f"invoice-{first['id']}", "invoice_due", 1, about, words, copy)


def task(
    task_id: str, kind: str, priority: int, about: dict[str, Any], words: dict[str, Any], copy: str | None = None
) -> dict[str, Any]:
    """A task with the wording of the data file."""
    rule, text = TASKS[copy or kind], COPY["tasks"][copy or kind]
    return {
        "id": task_id,
        "type": kind,
        "priority": priority,
        "tone": rule["tone"],
        "title": text["title"].format(**words),
        "description": text["description"].format(**words),
        "actionLabel": text["action_label"],
        "actionUrl": rule["action_url"],
        "about": about,
    }


SIGNS = {"JPY": "¥", "USD": "$", "EUR": "€", "GBP": "£"}


def money(total: Decimal | None, currency: str | None) -> str | None:
    """An amount for people: "¥3,300", "$33.00"; None where there is none."""
    if total is None:
        return None
    if not currency:
        return f"{total:,f}"
    is_whole_yen = currency == "JPY" and total == int(total)
    text = f"{abs(total):,.0f}" if is_whole_yen else f"{abs(total):,.2f}"
    return ("-" if total < 0 else "") + SIGNS[currency] + text


def activity(known: dict[str, Any], zone: ZoneInfo, now: datetime) -> list[dict[str, Any]]:
    """The ten newest things that are known to have happened; of equal instants by id."""
    found: list[tuple[datetime, str, dict[str, Any]]] = []

    def add(kind: str, related: Any, verb: str, title: str, description: str | None, at: datetime | None) -> None:
        if at is None:
            return
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        if at > now:
            return
        entry = {
            "id": f"{kind}-{related}-{verb}",
            "type": f"{kind}_{verb}",
            "title": title,
            "description": description,
            "occurredAt": instant(at),
            "relatedId": related,
        }
        found.append((at, entry["id"], entry))

    for one in known["invoices"] or []:
        name = f"Invoice {one['number'] or one['id']}"
        if one["status"] != "Draft":
            made = one["created"] or (None if one["date"] is None else day_begins(one["date"], zone))
            add("invoice", one["id"], "created", name, money(one["total"], one["currency"]), made)
        if one["status"] == "Paid":
            add("invoice", one["id"], "paid", f"{name} paid", money(one["total"], one["currency"]), one["paid"])
    for one in known["services"] or []:
        activated, ended = service_moments(one, known["service_steps"], zone)
        add("service", one["id"], "activated", "Service activated", one["name"], activated)
        add("service", one["id"], "cancelled", "Service cancelled", one["name"], ended)
    for one in known["orders"] or []:
        if one["stage"] != "draft":
            made = one["created"] or (None if one["effective"] is None else day_begins(one["effective"], zone))
            add("order", one["id"], "created", f"Order {one['number'] or one['id']}", None, made)
    for one in known["cases"] or []:
        name = f"Case {one['number'] or one['id']}"
        add("case", one["id"], "created", name, one["subject"], one["created"])
        if one["closed"]:
            add("case", one["id"], "closed", f"{name} closed", one["subject"], one["closed_at"])
    found.sort(key=lambda entry: entry[1])
    found.sort(key=lambda entry: entry[0], reverse=True)
    return [entry[2] for entry in found[:10]]


def service_moments(
    service: dict[str, Any], steps: list[dict[str, Any]], zone: ZoneInfo
) -> tuple[datetime | None, datetime | None]:
    """When it became active (as observed, else its registration date) and when its end was observed."""
    activated = ended = None
    was_active = service["status_known"] in WAS_ACTIVE
    for step in steps:
        if step["service"] != service["id"]:
            continue
        if step["new"] == "Active" and step["old"] != "Suspended":
            activated = step["at"]
        if step["new"] in ENDED and step["old"] not in ENDED:
            ended = step["at"]
            was_active_then = step["old"] in WAS_ACTIVE
    if ended is not None and was_active_then:
        was_active = True
    if activated is None and was_active and service["registered"] is not None:
        activated = day_begins(service["registered"], zone)
    return activated, ended
