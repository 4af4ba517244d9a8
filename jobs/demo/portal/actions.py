"""What the portal's buttons do to the stand-ins: what a customer, a reviewer or a day would do to the real systems."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from config.errors import MeStatusError
from jobs.demo.stage import LANGUAGE, Stage

ONE_DAY = timedelta(days=1)
STATUS, SUBMITTED, REVIEWED = (
    "Id_Verification_Status__c",
    "Id_Verification_Submitted_Date_Time__c",
    "Id_Verification_Reviewed_Date_Time__c",
)


class NotPossibleError(MeStatusError):
    """The customer cannot do this now; the message is for the person at the portal."""


@dataclass(frozen=True)
class Customer:
    """A customer of the stage: the account, its client where it has one, and the name the stand-in gave it."""

    account_id: str
    client_id: int | None
    name: str


@dataclass
class Clock:
    """The demo's time: the real one, and the days that were let pass."""

    stage: Stage
    ahead: timedelta = timedelta(0)

    def now(self) -> datetime:
        """The instant, which the stand-ins' clock is moved to."""
        now = max(datetime.now(UTC) + self.ahead, self.stage.clock.now())
        self.stage.clock.advance_to(now)
        return now


Act = Callable[[Stage, Customer, str], None]


def pay_invoice(stage: Stage, customer: Customer, invoice: str) -> None:
    """Pays one unpaid invoice of the customer's own client."""
    own = {row["id"]: row for row in stage.install.lookups["invoices"].rows_of(_client(customer))}
    found = own.get(int(invoice)) if invoice.isdecimal() else None
    if found is None or found["status"] != "Unpaid":
        raise NotPossibleError("there is no such unpaid invoice")
    stage.install.pay_invoice(found["id"])


def add_card(stage: Stage, customer: Customer, _: str) -> None:
    """Stores a card at the gateway."""
    stage.install.add_pay_method(_client(customer), expiry_date="12/29", card_last_four="4242")


def submit_card(stage: Stage, customer: Customer, _: str) -> None:
    """Submits a residence card; the reviewer looks at it when a day has passed."""
    org = stage.org
    org.update("Account", customer.account_id, **{STATUS: "Submitted", SUBMITTED: org.stamp()})


def speak(stage: Stage, customer: Customer, language: str) -> None:
    """Changes the language that the account names."""
    if language not in ("en", "ja"):
        raise NotPossibleError("there is no such language")
    stage.org.update("Account", customer.account_id, **{LANGUAGE: language})


ACTIONS: dict[str, Act] = {"pay": pay_invoice, "card": add_card, "residence": submit_card, "language": speak}


def a_night(stage: Stage, customer: Customer) -> None:
    """What happens overnight: WHMCS's cron, and the reviewer verifies a residence card that this customer submitted."""
    stage.install.run_daily_cron()
    if _account(stage, customer.account_id).get(STATUS) == "Submitted":
        stage.org.update("Account", customer.account_id, **{STATUS: "Verified", REVIEWED: stage.org.stamp()})


def name_of(stage: Stage, account_id: str) -> str:
    """The account's name in the stand-in."""
    return str(_account(stage, account_id).get("Name", account_id))


def language_of(stage: Stage, account_id: str) -> str:
    """The language the account names, or the default one."""
    return str(_account(stage, account_id).get(LANGUAGE) or "en")


def _account(stage: Stage, account_id: str) -> dict[str, Any]:
    return stage.org.tables["Account"].get(account_id) or {}


def _client(customer: Customer) -> int:
    if customer.client_id is None:
        raise NotPossibleError("this customer has no client in WHMCS")
    return customer.client_id
