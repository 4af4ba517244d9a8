"""Money, dates, names and links as a customer reads them, in the customer's language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from urllib.parse import quote

from babel.dates import format_date
from babel.numbers import format_currency, get_currency_precision

from config.wording import Copy, Language
from materializer.rules.facts import Invoice, Order, Service


@lru_cache(maxsize=20_000)
def money(amount: Decimal, currency: str | None, language: Language) -> str:
    """An amount as the language writes it: "¥3,300", "$33.00"; digits that its currency does not have are kept."""
    if currency is None:
        return f"{amount:,f}"  # both languages group by comma
    is_usual = amount == round(amount, get_currency_precision(currency))
    text = format_currency(amount, currency, locale=language, currency_digits=is_usual, decimal_quantization=is_usual)
    return text.replace("￥", "¥")


@lru_cache(maxsize=20_000)
def day(on: date, language: Language) -> str:
    """A date as the language writes it out: "March 17, 2026", "2026年3月17日"."""
    return format_date(on, "long", locale=language)


def amount_of(invoice: Invoice, copy: Copy) -> str:
    """What is to pay of an invoice, in words of its own where the amount is not known."""
    return copy.words.unknown_amount if invoice.owed is None else money(invoice.owed, invoice.currency, copy.language)


def invoice_words(invoice: Invoice, copy: Copy) -> dict[str, str]:
    """The names that words and links about an invoice may use."""
    return {
        "invoice_id": str(invoice.invoice_id),
        "invoice_number": invoice.shown_number,
        "amount": amount_of(invoice, copy),
        "due_on": "" if invoice.due_on is None else day(invoice.due_on, copy.language),
    }


def order_words(order: Order) -> dict[str, str]:
    """The names that words and links about an order may use."""
    return {"order_id": order.order_id, "order_number": order.order_number or order.order_id}


def service_words(service: Service, copy: Copy) -> dict[str, str]:
    """The names that words and links about a service may use."""
    service_id = str(service.service_id)
    name = service.product_name or copy.words.unnamed_service.format(service_id=service_id)
    return {"service_id": service_id, "service_name": name}


def link(template: str, words: Mapping[str, str]) -> str:
    """A link with its names filled in, each escaped so that it stays one part of a path or query."""
    return template.format_map({name: quote(value, safe="") for name, value in words.items()}) if words else template
