"""Every answer that was logged is found again: 10,000 in each run, `ME_STATUS_ANSWERS=100000` for the long play."""

from __future__ import annotations

import os
import random
from datetime import datetime, timedelta
from pathlib import Path

from config.database import LiveDatabase
from jobs.commands.history import served_at
from materializer.units import Batching
from tests.integration.test_history import HOUR, history_at, served
from tests.integration.test_refresh import NOW, refreshed, rows, run_sql

ANSWERS = int(os.environ.get("ME_STATUS_ANSWERS", "10000"))
ASKED_ONE_BY_ONE = 500
CUSTOMERS = 200
SQL = (Path(__file__).parents[1] / "benchmarks" / "customers.sql").read_text()
EDITS = (
    "update snapshot.invoice set total = {number} where client_id in ({clients}) and status = 'Unpaid'",
    "update snapshot.invoice set status = 'Unpaid', status_known = 'Unpaid' where invoice_id in"
    " (select max(invoice_id) from snapshot.invoice where client_id in ({clients}) group by client_id)",
    "update snapshot.invoice set status = 'Paid', status_known = 'Paid' where client_id in ({clients})",
    "update snapshot.account set eligibility_notes = 'é {number}' where whmcs_client_id in ({clients})",
    "update snapshot.account set is_customer = not is_customer where whmcs_client_id in ({clients})",
)
"""What happens to a few clients between two answers."""


def test_ten_thousand_answers_are_found_again_byte_for_byte(database: LiveDatabase) -> None:
    """Round by round a few customers change, leave or return; later each round's answers are asked for at its hour."""
    draw = random.Random(15)
    run_sql(database, SQL.replace(":customers", str(CUSTOMERS)))
    run_sql(database, "insert into pipeline.refresh_mark select account_id, now() from snapshot.account")
    logged: list[tuple[datetime, dict[str, str]]] = []
    while sum(len(answers) for _, answers in logged) < ANSWERS:
        now = NOW + len(logged) * HOUR
        refreshed(database, 10 + len(logged), now, batching=Batching(CUSTOMERS))
        logged.append((now, served(database)))
        _edit(database, draw)
    for now, answers in logged:
        assert answers == history_at(database, now + timedelta(minutes=draw.randrange(60)))
    with database.begin() as connection:
        for now, answers in draw.choices(logged, k=ASKED_ONE_BY_ONE):
            customer = draw.choice(list(answers))
            assert answers[customer] == served_at(connection, customer, now).document
    assert [(True,)] == rows(database, f"select count(*) > {len(logged)} from me_status_history")


def _edit(database: LiveDatabase, draw: random.Random) -> None:
    clients = ", ".join(str(1001 + draw.randrange(CUSTOMERS)) for _ in range(8))
    run_sql(database, draw.choice(EDITS).format(clients=clients, number=draw.randrange(1, 9999)))
    run_sql(
        database,
        "insert into pipeline.refresh_mark select account_id, now() from snapshot.account"
        f" where whmcs_client_id in ({clients}) on conflict do nothing",
    )
