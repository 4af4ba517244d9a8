"""Facts: everything known of one customer, as sql/queries/refresh/read_facts.sql gathers it.

Each list is None while it is not known: its stream has never been pulled, or (billing) the customer is not linked to a
client. An empty list means that the source said there is none. Nothing here can form a cycle, so the collector of
garbage is spared the walk (`gc=False`).
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from msgspec import Struct
from msgspec.json import Decoder

from config.types import EligibilityStatus, NotificationType, OrderStage, VerificationStatus
from materializer.snapshot.streams import INVOICE_STATUSES

LinkState = Literal["linked", "none", "unread", "unreadable", "dangling", "conflict"]
"""As pipeline.link has it; `unread`: clients name their accounts, and were never pulled."""
BillingState = Literal["linked", "none", "in_doubt"]


class Account(Struct, frozen=True, gc=False):
    """The account: the two statuses with what belongs to them; `*_known` is the last status that was not unknown."""

    eligibility_status: EligibilityStatus
    verification_status: VerificationStatus
    eligibility_known: EligibilityStatus | None = None
    eligibility: str | None = None
    eligibility_requested_at: datetime | None = None
    eligibility_checked_at: datetime | None = None
    eligibility_notes: str | None = None
    verification_known: VerificationStatus | None = None
    verification_submitted_at: datetime | None = None
    verification_reviewed_at: datetime | None = None
    verification_notes: str | None = None
    language: str | None = None


class Order(Struct, frozen=True, gc=False):
    """An order; `stage` as in snapshot.order."""

    order_id: str
    stage: OrderStage
    order_number: str | None = None
    effective_on: date | None = None
    created_at: datetime | None = None

    @property
    def is_in_progress(self) -> bool:
        return self.stage in ("in_progress", "approved")


class Case(Struct, frozen=True, gc=False):
    """A support case: the open ones, and the newest of the closed."""

    case_id: str
    is_closed: bool | None
    case_number: str | None = None
    subject: str | None = None
    created_at: datetime | None = None
    closed_at: datetime | None = None


class Invoice(Struct, frozen=True, gc=False):
    """An invoice: every one that is not known to be over, and those of the newest events.

    `balance` is what WHMCS said when it was asked for this one, None until then. A Mass Pay invoice repeats others.
    """

    invoice_id: int
    status: str | None
    invoice_number: str | None = None
    invoiced_on: date | None = None
    due_on: date | None = None
    paid_at: datetime | None = None
    total: Decimal | None = None
    currency: str | None = None
    created_at: datetime | None = None
    balance: Decimal | None = None
    is_mass_pay: bool = False

    @property
    def owed(self) -> Decimal | None:
        """What is still to pay: the balance, the total until that was asked for; None: not known."""
        return self.total if self.balance is None else self.balance

    @property
    def is_unpaid(self) -> bool:
        """Whether it counts: its status says so, something is left to pay, and it does not repeat other invoices."""
        is_settled = self.owed is not None and self.owed <= 0
        return self.status == "Unpaid" and not self.is_mass_pay and not is_settled

    @property
    def is_known(self) -> bool:
        """Whether the status is one of WHMCS's own words (whmcs-api 6)."""
        return self.status in INVOICE_STATUSES

    @property
    def shown_number(self) -> str:
        """What people call it: its number, or its id where the install does not number invoices."""
        return self.invoice_number or str(self.invoice_id)


class Service(Struct, frozen=True, gc=False):
    """A service, whatever its status; `cancelled_as_of`: the end of the period with which it is to end, on request."""

    service_id: int
    status: str | None
    status_known: str | None = None
    product_name: str | None = None
    registered_on: date | None = None
    cancelled_as_of: date | None = None


class PayMethod(Struct, frozen=True, gc=False):
    """A stored pay method; `expires_on` is the last day of a card's month, None for what does not expire."""

    pay_method_id: int
    card_last_four: str | None = None
    expires_on: date | None = None


class ServiceChange(Struct, frozen=True, gc=False):
    """A change of a service's status that a pull observed."""

    service_id: int
    old_value: str | None
    new_value: str | None
    observed_at: datetime


class Pending(Struct, frozen=True, gc=False):
    """A transition that calls for a notification and has not been judged."""

    transition_id: int
    entity_id: str
    type: NotificationType


class Unresolved(Struct, frozen=True, gc=False):
    """A type and source id of which at least one notification is not resolved."""

    type: NotificationType
    source_id: str


class Reminder(Struct, frozen=True, gc=False):
    """How a time-driven type and source id stands: last sent, last discarded, and whether one waits in the outbox."""

    type: NotificationType
    source_id: str
    last_sent_at: datetime | None = None
    discarded_at: datetime | None = None
    is_waiting: bool = False


class Facts(Struct, frozen=True, gc=False):
    """One customer. `account` is None when there is no such customer (any more); then the rest says nothing.

    `unreadable` names the streams of which a record of this customer's could never be read: what it would have counted
    in is unknown, while the other records are news and tasks as ever. `pay_methods_read_at` is how old the client's pay
    methods are; None: never read.
    """

    customer_id: str
    account: Account | None
    link: LinkState | None = None
    client_id: int | None = None
    orders: list[Order] | None = None
    cases: list[Case] | None = None
    invoices: list[Invoice] | None = None
    services: list[Service] | None = None
    pay_methods: list[PayMethod] | None = None
    pay_methods_read_at: datetime | None = None
    unreadable: frozenset[str] = frozenset()
    cancelled_services: list[int] | None = None
    service_changes: list[ServiceChange] = []
    pending: list[Pending] = []
    unresolved: list[Unresolved] = []
    reminders: list[Reminder] = []

    @property
    def billing_state(self) -> BillingState:
        """Whether there is a client: none is known by an empty link, in doubt is whatever does not lead to one."""
        return self.link if self.link == "linked" or self.link == "none" else "in_doubt"

    @property
    def unpaid(self) -> list[Invoice]:
        """The unpaid invoices; empty also while invoices are not known."""
        return [invoice for invoice in self.invoices or () if invoice.is_unpaid]

    def is_whole(self, *streams: str) -> bool:
        """Whether every record of this customer's in these streams could be read."""
        return self.unreadable.isdisjoint(streams)


decode = Decoder(Facts, strict=True).decode
"""One row's facts. Raises msgspec.ValidationError when the statement and these shapes have drifted apart."""
