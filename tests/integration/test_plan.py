"""The plan of a rules change: what it forecasts is what then happens, for many random edits of the rules."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, text

from config.database import LiveDatabase, rehearsal
from jobs.runs import ledger
from materializer.refresh.plan import plan
from materializer.refresh.rebuild import rebuild
from materializer.refresh.refresh import Refreshed, refresh
from materializer.rules.rules import Rules
from materializer.units import At, Batching
from tests.builders import LIMITS, NOON, rules

EDITS = int(os.environ.get("ME_STATUS_EDITS", "12"))
"""Random edits tried; the long play tries 1,000."""
FEW = Batching(5)
PEOPLE = """
insert into snapshot.account (account_id, is_customer, eligibility_status, verification_status, whmcs_client_id)
select '001' || lpad(n::text, 12, '0') || 'AAA', true, 'eligible', 'verified', n from generate_series(1, 14) n;
insert into snapshot.client (client_id) select n from generate_series(1, 14) n;
insert into snapshot.invoice (invoice_id, client_id, status, status_known, invoiced_on, due_on, total, currency)
select 1000 + n, n, 'Unpaid', 'Unpaid', '2026-02-20', date '2026-03-01' + 3 * n, 1000 + n, 'JPY'
from generate_series(1, 14) n;
insert into snapshot.pay_method (pay_method_id, client_id, kind, card_last_four, expires_on)
select 7000 + n, n, 'CreditCard', '4242', date '2026-03-05' + 6 * n from generate_series(1, 14) n;
insert into pipeline.pay_method_reading (client_id, read_at) select n, :now from generate_series(1, 14) n;
insert into pipeline.stream_state (stream, synced_at, run_id)
select stream, :now, 1
from unnest(array['account', 'order', 'case', 'client', 'invoice', 'service', 'pay_method', 'cancellation']) as stream;
update pipeline.source_state set synced_at = :now;
insert into pipeline.refresh_mark select account_id, :now from snapshot.account;
"""


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """Fourteen customers in three batches, each with an invoice and a card, refreshed under the packaged rules."""
    with engine.begin() as connection:
        for statement in PEOPLE.split(";")[:-1]:
            connection.execute(text(statement), {"now": NOON} if ":now" in statement else {})
    refresh(LiveDatabase(engine), rules(), At(9999, NOON), LIMITS, FEW)
    return engine


def edited(dice: Random) -> Rules:
    """The packaged rules with some thresholds changed, as an operator may."""
    base = rules()
    types = dict(base.notifications.types)
    invoice: dict[str, Any] = {"days_ahead": dice.randint(0, 40), "window_hours": dice.choice((1, 24, 72))}
    card: dict[str, Any] = {"steps": tuple(sorted(dice.sample(range(1, 90), dice.randint(1, 3)), reverse=True))}
    types["INVOICE_DUE"] = types["INVOICE_DUE"].model_copy(update=invoice)
    types["PAYMENT_METHOD_EXPIRING"] = types["PAYMENT_METHOD_EXPIRING"].model_copy(update=card)
    gate = base.notifications.flood_gate.model_copy(update={"floor": dice.choice((3, 10, 100)), "factor": 1.0})
    return replace(base, notifications=base.notifications.model_copy(update={"types": types, "flood_gate": gate}))


def what_happens(engine: Engine, changed: Rules, now: Any) -> Refreshed:
    """The rebuild and the refresh after it, undone afterwards."""
    with rehearsal(engine) as practice:
        with ledger.rehearsed(practice, "rebuild", now=now) as run:
            rebuild(practice, changed, run.at, FEW)
        with ledger.rehearsed(practice, "refresh", now=now) as run:
            return refresh(practice, changed, run.at, LIMITS, FEW)


def test_the_forecast_is_what_then_happens(filled: Engine) -> None:
    """Sent by type, suppressed, and what the flood gate says; the plan itself leaves nothing behind."""
    dice = Random(16)
    seen = set()
    for _ in range(EDITS):
        changed, now = edited(dice), NOON + timedelta(minutes=dice.randint(0, 50))
        with rehearsal(filled) as practice, ledger.rehearsed(practice, "refresh", now=now) as run:
            planned = plan(practice, changed, run.at, LIMITS, FEW).refreshed
        happened = what_happens(filled, changed, now)
        assert (planned.sent, planned.suppressed) == (happened.sent, happened.suppressed)
        assert planned.held == happened.held
        seen.add("held" if planned.held else "sent" if planned.sent else "nothing")
    assert {"held", "sent"} <= seen
    with filled.connect() as connection:
        assert 0 == connection.execute(text("select count(*) from pipeline.refresh_mark")).scalar_one()
