"""A straightforward model of the whole product, written from the contract and the design, to hold the product against.

Nothing of the product is imported. The model keeps everything in dictionaries and, at each refresh, looks at every
customer: it knows no marks, no windows of the key, no batches and no next change.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.integration.truth import reference_document as documents
from tests.integration.truth import reference_records as records
from tests.integration.truth.deliveries import MALFORMED, WHMCS, Delivery
from tests.integration.truth.reference_document import ENDED, NOTIFICATIONS

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EVER = datetime.min.replace(tzinfo=UTC)
STATUS_NOTIFIED = {
    "ELIGIBILITY_ELIGIBLE": ("eligibility_status", "eligible"),
    "ELIGIBILITY_INELIGIBLE": ("eligibility_status", "ineligible"),
    "VERIFICATION_VERIFIED": ("verification_status", "verified"),
    "VERIFICATION_REJECTED": ("verification_status", "rejected"),
}
ORDER_NOTIFIED = {"ORDER_APPROVED": "approved", "ORDER_ACTIVATED": "activated", "ORDER_FAILED": "failed"}
OF_ORDER = {stage: kind for kind, stage in ORDER_NOTIFIED.items()}
LEAVING = ("cancellation", "pay_method", "invoice", "service", "client", "case", "order", "account")

Key = tuple[str, str, str]
"""Customer, notification type, source id."""


class Reference:
    """What the product should know and have said. `zone`: business time; `server_zone`: that of WHMCS's dates."""

    def __init__(self, zone: ZoneInfo, server_zone: ZoneInfo, settings: dict[str, Any]) -> None:
        self.zone = zone
        self.server_zone = server_zone
        self.settings = settings
        self.tables: dict[str, dict[Any, dict[str, Any]]] = {name: {} for name in records.READERS}
        self.cursors: dict[str, datetime | None] = {}
        self.pulled: dict[str, datetime] = {}
        self.read_clients: dict[int, datetime] = {}
        self.never_read: dict[Any, int] = {}
        """Invoices that could never be read, having no total that is one, and whose they are."""
        self.redirects: dict[str, str] = {}
        self.pending: list[dict[str, Any]] = []
        self.service_steps: list[dict[str, Any]] = []
        self.rows: set[str] = set()
        self.notifications: list[dict[str, Any]] = []
        self.last_sent: dict[Key, datetime] = {}
        self.last_discarded: dict[Key, datetime] = {}
        self.waiting: dict[Key, int] = {}
        self.sent_counts: dict[tuple[int, str], list[Any]] = {}
        self.flood_holds: set[int] = set()
        self.shrink_holds: dict[int, tuple[str, dict[str, list[Any]]]] = {}

    # Who is who -------------------------------------------------------------------------------------------------------

    def customers(self) -> set[str]:
        """Every account there is."""
        return {key for key in self.tables["account"] if key not in self.redirects}

    def claims(self) -> set[tuple[str, int]]:
        """Which account and which client name each other."""
        found = {(key, row["client"]) for key, row in self.tables["account"].items() if row["client"] is not None}
        for key, row in self.tables["client"].items():
            if row["reference"] in self.tables["account"]:
                found.add((row["reference"], key))
        return found

    def client_of(self, customer: str) -> int | None:
        """The linked client: one that is there, named by this customer alone, and the only one it names."""
        claims = self.claims()
        own = [client for account, client in claims if account == customer]
        if len(own) != 1 or own[0] not in self.tables["client"]:
            return None
        rivals = [account for account, client in claims if client == own[0]]
        return own[0] if len(rivals) == 1 else None

    def billing_of(self, customer: str, client: int | None) -> str:
        """Whether there is a client; an empty link says that there is none, one that cannot be read does not."""
        is_unnamed = all(account != customer for account, _ in self.claims())
        is_empty = is_unnamed and not self.tables["account"][customer]["has_link_text"]
        return "linked" if client is not None else "none" if is_empty else "in_doubt"

    def customer_of_client(self, client: int | None) -> str | None:
        for account, claimed in self.claims():
            if claimed == client and self.client_of(account) == client:
                return account
        return None

    def known_of(self, customer: str) -> dict[str, Any]:
        """Everything known of a customer; None where it is not known."""

        def owned(stream: str, column: str, owner: Any) -> list[dict[str, Any]] | None:
            if owner is None or stream not in self.cursors:
                return None
            return [row for row in self.tables[stream].values() if row[column] == owner]

        client = self.client_of(customer)
        return {
            "account": self.tables["account"][customer],
            "client": client,
            "billing": self.billing_of(customer, client),
            "orders": owned("order", "account", customer),
            "cases": owned("case", "account", customer),
            "invoices": owned("invoice", "client", client),
            "services": owned("service", "client", client),
            "cards": owned("pay_method", "client", client) if client in self.read_clients else None,
            "service_steps": self.service_steps,
            "has_unreadable_invoice": client is not None and client in self.never_read.values(),
        }

    def document(self, customer: str, now: datetime) -> dict[str, Any]:
        return documents.document(customer, self.known_of(customer), now, self.zone)

    # Taking in --------------------------------------------------------------------------------------------------------

    def take(self, delivery: Delivery, now: datetime) -> list[Any]:
        """Takes in one pull; returns the keys that a complete one, of everything or of owners, did not have."""
        name, table = delivery.stream, self.tables[delivery.stream]
        is_baseline = name not in self.cursors
        before = set(table)
        seen = set()
        for raw in sorted(delivery.records, key=lambda raw: records.key_of(name, raw)):
            seen.add(records.key_of(name, raw))
            if MALFORMED in raw or (name == "invoice" and not raw["total"]):
                self._set_aside(name, raw)
            else:
                self._take_record(name, records.read(name, raw, self.server_zone), is_baseline, now)
        for key in [*delivery.deleted, *delivery.merged]:
            self._remove(name, key)
        for loser in sorted(delivery.merged):
            self._merge(loser, delivery.merged)
        if name == "pay_method":
            before = {key for key in before if table[key]["client"] in delivery.clients}
            self.read_clients |= dict.fromkeys(delivery.clients, now)
        if name == "invoice" and delivery.extent == "full" and delivery.is_complete:
            self.never_read = {key: client for key, client in self.never_read.items() if key in seen}
        if delivery.is_complete:
            moments = [at for at in (delivery.cursor_at, self.cursors.get(name)) if at is not None]
            self.cursors[name] = max(moments) if moments else delivery.source_time
            if name in WHMCS:
                self.cursors[name] = delivery.source_time
        if name in self.cursors:
            self.pulled[name] = now
        return sorted(before - seen) if delivery.extent != "partial" and delivery.is_complete else []

    def known_before(self, delivery: Delivery) -> int:
        """How many rows are known of what a pull reads."""
        rows = self.tables[delivery.stream].values()
        return len([row for row in rows if delivery.extent != "owners" or row["client"] in delivery.clients])

    def _is_of_everybody(self, delivery: Delivery) -> bool:
        return delivery.extent == "full" or len(delivery.clients) >= len(self.tables["client"])

    def _set_aside(self, stream: str, raw: dict[str, Any]) -> None:
        """What was read well before keeps its values; of what never was, its owner's figures are unknown."""
        self.never_read.pop(raw["id"], None)
        if raw["id"] not in self.tables[stream]:
            self.never_read[raw["id"]] = raw["userid"]

    def _take_record(self, stream: str, new: dict[str, Any], is_baseline: bool, now: datetime) -> None:
        table = self.tables[stream]
        old = table.get(new["id"])
        if stream == "invoice":
            self.never_read.pop(new["id"], None)
        for column in [column for column in new if column.endswith("_known")]:
            if old is not None and new[column] is None:
                new[column] = old[column]
        table[new["id"]] = new
        if stream == "account":
            self.redirects.pop(new["id"], None)
        if not is_baseline:
            self._judge(stream, old, new, now)

    def _judge(self, stream: str, old: dict[str, Any] | None, new: dict[str, Any], now: datetime) -> None:
        """Which transitions the change makes, and which notification each calls for."""
        if stream == "account":
            for kind, (field, notified) in STATUS_NOTIFIED.items():
                known = field.replace("status", "known")
                if new[known] == notified and (
                    self._is_new(stream, new) if old is None else old[known] not in (None, notified)
                ):
                    self._call_for(new["id"], kind, new["id"])
        elif stream == "order" and new["stage"] in OF_ORDER:
            if self._is_new(stream, new) if old is None else self._has_entered(old, new):
                owner = new["account"] if new["account"] in self.tables["account"] else None
                self._call_for(owner, OF_ORDER[new["stage"]], new["id"])
        elif stream == "service" and old is not None and old["status_known"] not in (None, new["status_known"]):
            step = {"service": new["id"], "old": old["status_known"], "new": new["status_known"], "at": now}
            self.service_steps.append(step)
            if step["new"] in ENDED and step["old"] not in ENDED:
                self._call_for(self.customer_of_client(new["client"]), "CANCELLATION_COMPLETE", str(new["id"]))
        elif stream == "cancellation" and (old is None or old["service"] != new["service"]):
            service = self.tables["service"].get(new["service"])
            customer = self.customer_of_client(service["client"]) if service else None
            self._call_for(customer, "CANCELLATION_SCHEDULED", str(new["service"]))

    def _has_entered(self, old: dict[str, Any], new: dict[str, Any]) -> bool:
        """Another stage, and the word that makes it has just come into the field it stands in."""
        if old["stage"] == new["stage"]:
            return False
        field = "status" if new["stage"] == "approved" else "activation"
        return bool(old[field] != new[field])

    def _is_new(self, stream: str, new: dict[str, Any]) -> bool:
        """Created after the last good pull."""
        last = self.cursors[stream]
        return last is not None and new["created"] is not None and new["created"] > last

    def _call_for(self, customer: str | None, kind: str, source: str) -> None:
        if customer is not None:
            self.pending.append({"customer": customer, "type": kind, "source": source})

    # Leaving ----------------------------------------------------------------------------------------------------------

    def _remove(self, stream: str, key: Any) -> bool:
        if self.tables[stream].pop(key, None) is None:
            return False
        if stream == "client":
            self.read_clients.pop(key, None)
            cards = self.tables["pay_method"]
            for card in [card for card, row in cards.items() if row["client"] == key]:
                del cards[card]
        return True

    def _merge(self, loser: str, masters: dict[str, str]) -> None:
        """What was the loser's is the winner's from now on."""
        masters = self.redirects | masters
        winner, seen = loser, {loser}
        while winner in masters:
            winner = masters[winner]
            if winner in seen:
                return
            seen.add(winner)
        self.redirects = {account: winner if to == loser else to for account, to in self.redirects.items()}
        self.redirects[loser] = winner
        for one in self.notifications:
            one["customer"] = winner if one["customer"] == loser else one["customer"]
        self.pending = [one for one in self.pending if one["customer"] != loser or one["type"] not in STATUS_NOTIFIED]
        for one in self.pending:
            one["customer"] = winner if one["customer"] == loser else one["customer"]
        for times in (self.last_sent, self.last_discarded):
            for key in [key for key in times if key[0] == loser]:
                moved = (winner, *key[1:])
                times[moved] = max(times.pop(key), times.get(moved, EVER))
        for key in [key for key in self.waiting if key[0] == loser]:
            self.waiting.setdefault((winner, *key[1:]), self.waiting[key])
            del self.waiting[key]

    def apply_removals(self, source: str, taken: list[tuple[Delivery, list[Any], int]], run: int, accept: bool) -> bool:
        """Removes or holds what whole readings found gone; `taken`: pull, missing keys, rows before. Whether it did."""
        whole = [one for one in taken if one[0].extent != "partial" and one[0].is_complete]
        if not whole:
            return True
        percent, rows = self.settings["shrink_percent"], self.settings["shrink_rows"]
        is_tripped = any(
            (len(missing) * 100 > percent * had and len(missing) > rows)
            or (had >= 3 and len(missing) == had and self._is_of_everybody(delivery))
            for delivery, missing, had in whole
        )
        is_held = is_tripped and not accept
        if not is_held and any(missing and not delivery.can_confirm for delivery, missing, _ in whole):
            return False
        streams = {delivery.stream for delivery, _, _ in whole if self._is_of_everybody(delivery)}
        for hold in [hold for hold, (of, keys) in self.shrink_holds.items() if of == source and streams >= set(keys)]:
            del self.shrink_holds[hold]
        if is_held:
            keys = {delivery.stream: missing for delivery, missing, _ in whole if missing}
            self.shrink_holds[run] = (source, keys)
            return True
        for delivery, missing, _ in sorted(whole, key=lambda one: LEAVING.index(one[0].stream)):
            gone = [key for key in missing if key not in delivery.alive]
            for key in gone:
                self._remove(delivery.stream, key)
            for loser in sorted(key for key in gone if key in delivery.masters):
                self._merge(loser, {key: delivery.masters[key] for key in gone if key in delivery.masters})
        return True

    def release_shrink(self, run: int) -> None:
        _, keys = self.shrink_holds.pop(run)
        for stream in LEAVING:
            for key in keys.get(stream, []):
                self._remove(stream, key)

    # Refresh ----------------------------------------------------------------------------------------------------------

    def refresh(self, run: int, now: datetime) -> None:
        """Looks at every customer: what is over, what is to be notified; then the flood gate and dedupe."""
        decided: list[Key] = []
        for customer in sorted(self.customers()):
            known = self.known_of(customer)
            for one in self.notifications:
                if one["customer"] == customer and not one["resolved"] and self._is_over(one, known, now):
                    one["resolved"] = True
            decided += [key for key in self._called_for(customer, known) if key not in self.waiting]
            decided += [key for key in self._due_reminders(customer, known, now) if key not in self.waiting]
        self.pending = []
        self.rows = self.customers()
        self._send_or_hold(list(dict.fromkeys(decided)), run, now)

    def _called_for(self, customer: str, known: dict[str, Any]) -> list[Key]:
        """Notifications of transitions that are (still) this customer's."""
        found: list[Key] = []
        for one in self.pending:
            if one["customer"] != customer:
                continue
            kind, source = one["type"], one["source"]
            if kind in ORDER_NOTIFIED and source not in [order["id"] for order in known["orders"] or []]:
                continue
            if kind.startswith("CANCELLATION"):
                services = [row for row in known["services"] or [] if str(row["id"]) == source]
                if not services:
                    continue
                if kind == "CANCELLATION_SCHEDULED" and services[0]["status_known"] in (None, *ENDED):
                    continue
            found.append((customer, kind, source))
        return found

    def _due_reminders(self, customer: str, known: dict[str, Any], now: datetime) -> list[Key]:
        """What time calls for: invoices due, and cards before their end."""
        today = documents.local_date(now, self.zone)
        found: list[Key] = []
        are_invoices_fresh = now - self.pulled.get("invoice", EVER) <= HOUR
        are_cards_fresh = now - self.read_clients.get(known["client"], EVER) <= 26 * HOUR
        for invoice in (known["invoices"] or []) if are_invoices_fresh else []:
            key = (customer, "INVOICE_DUE", str(invoice["id"]))
            if documents.is_due(invoice, today) and self._may_remind(key, self._invoice_steps(invoice, now), now):
                found.append(key)
        for card in (known["cards"] or []) if are_cards_fresh else []:
            key = (customer, "PAYMENT_METHOD_EXPIRING", str(card["id"]))
            if card["expires"] is None or card["expires"] < today:
                continue
            steps = [
                documents.day_begins(card["expires"] - timedelta(days=days), self.zone)
                for days in NOTIFICATIONS["types"]["PAYMENT_METHOD_EXPIRING"]["steps"]
            ]
            if min(steps) <= now and self._may_remind(key, steps, now):
                found.append(key)
        return found

    def _invoice_steps(self, invoice: dict[str, Any], now: datetime) -> list[datetime] | None:
        """The instants at which an invoice is notified; None: whenever the window has passed."""
        if not self.settings["invoice_steps"]:
            return None
        days = [-step for step in self.settings["invoice_steps"]]
        every = self.settings["then_every_days"]
        overdue = (documents.local_date(now, self.zone) - invoice["due"]).days
        days += range(every, max(overdue, 0) + 1, every)
        return [documents.day_begins(invoice["due"] + timedelta(days=offset), self.zone) for offset in days]

    def _may_remind(self, key: Key, steps: list[datetime] | None, now: datetime) -> bool:
        """Never notified: once a step has come. Notified: when one has come since, and the last window is over."""
        sent, discarded = self.last_sent.get(key), self.last_discarded.get(key)
        notified = [at for at in (sent, discarded) if at is not None]
        if not notified:
            return steps is None or min(steps) <= now
        if steps is None:
            return now >= max(notified) + DAY
        if not [step for step in steps if max(notified) < step <= now]:
            return False
        return sent is None or now >= sent + DAY

    def _is_over(self, one: dict[str, Any], known: dict[str, Any], now: datetime) -> bool:
        """Whether what a notification speaks of is known to be over."""
        kind, source = one["type"], one["source"]
        today = documents.local_date(now, self.zone)

        def find(stream: str) -> dict[str, Any] | None:
            return next((row for row in known[stream] if str(row["id"]) == source), None)

        if kind in STATUS_NOTIFIED:
            field, notified = STATUS_NOTIFIED[kind]
            return known["account"][field] not in ("unknown", notified)
        if kind in ORDER_NOTIFIED and known["orders"] is not None:
            order = find("orders")
            return order is None or order["stage"] != ORDER_NOTIFIED[kind]
        if kind == "INVOICE_DUE" and known["invoices"] is not None:
            invoice = find("invoices")
            if invoice is None:
                return True
            return invoice["status"] in records.INVOICE_WORDS and not documents.is_due(invoice, today)
        if kind == "CANCELLATION_SCHEDULED" and known["services"] is not None and "cancellation" in self.cursors:
            service = find("services")
            if service is None or service["status_known"] in ENDED:
                return True
            return source not in [str(row["service"]) for row in self.tables["cancellation"].values()]
        if kind == "CANCELLATION_COMPLETE" and known["services"] is not None:
            service = find("services")
            return service is not None and service["status"] == "Active"
        if kind == "PAYMENT_METHOD_EXPIRING" and known["cards"] is not None:
            card = find("cards")
            return card is None or card["expires"] is None or (card["expires"] - today).days > 30
        return False

    # Sending ----------------------------------------------------------------------------------------------------------

    def _passes(self, key: Key, now: datetime) -> bool:
        window = timedelta(hours=NOTIFICATIONS["types"][key[1]]["window_hours"])
        return key not in self.last_sent or now >= self.last_sent[key] + window

    def _limit(self, kind: str, now: datetime) -> int:
        most = [
            count for (_, of), (at, count) in self.sent_counts.items() if of == kind and at >= now - timedelta(days=35)
        ]
        return max(self.settings["flood_floor"], 2 * max(most, default=0))

    def _send_or_hold(self, decided: list[Key], run: int, now: datetime) -> None:
        passing = [key for key in decided if self._passes(key, now)]
        for kind in {key[1] for key in passing}:
            if len([key for key in passing if key[1] == kind]) > self._limit(kind, now):
                self.waiting |= dict.fromkeys(decided, run)
                self.flood_holds.add(run)
                return
        self._send(decided, run, now)

    def _send(self, keys: list[Key], run: int, now: datetime) -> None:
        for key in keys:
            if not self._passes(key, now):
                continue
            customer, kind, source = key
            self.last_sent[key] = now
            if kind in ("INVOICE_DUE", "PAYMENT_METHOD_EXPIRING"):
                for older in self.notifications:
                    if (older["customer"], older["type"], older["source"]) == key:
                        older["resolved"] = True
            one = {"customer": customer, "type": kind, "source": source, "created": now, "resolved": False}
            self.notifications.append(one)
            counted = self.sent_counts.setdefault((run, kind), [now, 0])
            self.sent_counts[run, kind] = [now, counted[1] + 1]

    def release_flood(self, run: int, now: datetime) -> None:
        keys = [key for key, held_by in self.waiting.items() if held_by == run]
        self.waiting = {key: held_by for key, held_by in self.waiting.items() if held_by != run}
        self.flood_holds.discard(run)
        self._send(keys, run, now)

    def discard_flood(self, run: int, now: datetime) -> None:
        for key in [key for key, held_by in self.waiting.items() if held_by == run]:
            del self.waiting[key]
            if key[1] in ("INVOICE_DUE", "PAYMENT_METHOD_EXPIRING"):
                self.last_discarded[key] = now
        self.flood_holds.discard(run)

    def announce(self, listed: list[str] | None, run: int, now: datetime, confirmed: bool) -> None:
        """To everybody with a document, or to the listed; a merged account stands for its winner."""
        meant = self.rows if listed is None else {self.redirects.get(account, account) for account in listed}
        meant = meant & self.rows
        if len(meant) <= self._limit("SYSTEM_ANNOUNCEMENT", now) or confirmed:
            self._send([(one, "SYSTEM_ANNOUNCEMENT", f"announcement-{run}") for one in sorted(meant)], run, now)

    # Housekeeping -----------------------------------------------------------------------------------------------------

    def rebuild(self, only: set[str] | None) -> None:
        """Documents alone; None: everybody's."""
        rebuilt = self.customers()
        self.rows = rebuilt if only is None else (self.rows - only) | (only & rebuilt)

    def prune(self, now: datetime) -> None:
        """Notifications of a year ago, read and unread alike, and steps of two years ago of services that are gone."""
        year, steps = now - timedelta(days=365), now - timedelta(days=730)
        self.notifications = [one for one in self.notifications if one["created"] >= year]
        self.service_steps = [
            step for step in self.service_steps if step["at"] >= steps or step["service"] in self.tables["service"]
        ]
