"""Reminders rest on the age of their own facts: of a card on its client's pay methods, of an invoice on invoices."""

from __future__ import annotations

from typing import Any

import pytest
import stamina

from jobs.sandbox.whmcs.single import ACTIONS
from tests.whmcs_world import World


@pytest.fixture
def billed(world: World) -> World:
    """One client with a card that ends with 2026-12-31 and an invoice due on that day, both read on 1 November."""
    client, *_ = world.keys("client")
    world.empty("pay_method", "invoice")
    world.claim_clients()
    world.install.add_pay_method(client, expiry_date="12/26")
    world.install.add_invoice(client, total="3300.00", duedate="2026-12-31")
    with stamina.set_testing(True, attempts=1):
        assert {} == sent(world)
        yield world


def sent(world: World) -> dict[str, Any]:
    """What a refresh after a sync sends, by type."""
    world.sync()
    counts = world.refresh().counts["sent"]
    assert isinstance(counts, dict)
    return counts


def test_pay_methods_forbidden_for_weeks_remind_nobody_of_a_card(billed: World) -> None:
    """The invoice reminds as ever; the card once it can be read again, though nothing of it changed."""
    billed.install.role = set(ACTIONS) - {"GetPayMethods"}
    billed.later(days=40)
    assert {} == sent(billed)
    billed.later(days=16)
    assert {"INVOICE_DUE": 1} == sent(billed)
    billed.install.role = set(ACTIONS)
    billed.later(minutes=1)
    assert {"PAYMENT_METHOD_EXPIRING": 1} == sent(billed)


def test_invoices_that_cannot_be_read_do_not_hold_back_a_card(billed: World) -> None:
    """Cards are read and remind; of the invoice nothing is sent until it is read again."""
    billed.install.role = set(ACTIONS) - {"GetInvoices"}
    billed.later(days=55)
    assert {"PAYMENT_METHOD_EXPIRING": 1} == sent(billed)
    billed.later(hours=2)
    assert {} == sent(billed)
    billed.install.role = set(ACTIONS)
    billed.later(minutes=1)
    assert {"INVOICE_DUE": 1} == sent(billed)


def test_services_that_cannot_be_read_do_not_hold_back_an_invoice(billed: World) -> None:
    """A stream that fails keeps back what rests on it, and nothing else."""
    billed.install.role = set(ACTIONS) - {"GetClientsProducts"}
    billed.later(days=55)
    assert {"PAYMENT_METHOD_EXPIRING": 1, "INVOICE_DUE": 1} == sent(billed)
