"""What a task or a notification is about, as data beside the words, so that a portal can word it itself."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TypeVar

from msgspec import UNSET, Struct, UnsetType

from materializer.rules.facts import Invoice, Order, PayMethod, Service


class About(Struct, frozen=True, gc=False, rename="camel"):
    """What does not apply is left out. Dates are business dates, amounts the digits the source wrote."""

    invoice_id: int | UnsetType = UNSET
    invoice_number: str | UnsetType = UNSET
    order_id: str | UnsetType = UNSET
    order_number: str | UnsetType = UNSET
    due_date: date | UnsetType = UNSET
    amount: str | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    other_invoices: int | UnsetType = UNSET
    service_id: int | UnsetType = UNSET
    service_name: str | UnsetType = UNSET
    ends_on: date | UnsetType = UNSET
    pay_method_id: int | UnsetType = UNSET
    card_last_four: str | UnsetType = UNSET
    expires_on: date | UnsetType = UNSET
    reviewer_notes: str | UnsetType = UNSET


NOTHING = About()
Value = TypeVar("Value", int, date)


def amount_text(amount: Decimal) -> str:
    """The digits the source wrote, without exponent: "3300.00"."""
    return format(amount, "f")


def of_invoice(invoice: Invoice, other_invoices: int | None = None) -> About:
    """An invoice; `other_invoices`: how many more are due behind it."""
    return About(
        invoice_id=invoice.invoice_id,
        invoice_number=invoice.invoice_number or UNSET,
        due_date=_given(invoice.due_on),
        amount=UNSET if invoice.owed is None else amount_text(invoice.owed),
        currency=invoice.currency or UNSET,
        other_invoices=_given(other_invoices),
    )


def of_order(order: Order) -> About:
    """An order."""
    return About(order_id=order.order_id, order_number=order.order_number or UNSET)


def of_service(service: Service, ends_on: date | None = None) -> About:
    """A service; `ends_on`: the last date it is paid for, when it is cancelled as of then."""
    return About(service_id=service.service_id, service_name=service.product_name or UNSET, ends_on=_given(ends_on))


def of_card(card: PayMethod) -> About:
    """A stored card."""
    return About(
        pay_method_id=card.pay_method_id,
        card_last_four=card.card_last_four or UNSET,
        expires_on=_given(card.expires_on),
    )


def _given(value: Value | None) -> Value | UnsetType:
    return UNSET if value is None else value
