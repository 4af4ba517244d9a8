"""The guest list: nobody else is notified while it is in force, nor later of what they missed."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import guests
from config.errors import SettingsError
from tests.end_to_end.stage import Stage

NOTIFIED = "select customer_id, type from notification order by 1, 2"
PASSED_OVER = "select customer_id, type, reason from pipeline.suppressed_notification order by 1, 2"


def invite(stage: Stage, *customers: str) -> None:
    """Only these are notified from now on."""
    Path("rules").mkdir(exist_ok=True)
    Path("rules/ids.txt").write_text("# guests\n" + "".join(f"{customer[:15]}  # ours\n" for customer in customers))
    Path("rules/schedule.toml").write_text('[notify]\nonly = "ids.txt"\n')
    stage.monkeypatch.setenv("ME_STATUS_SCHEDULE", "rules/schedule.toml")


def invite_everybody(stage: Stage) -> None:
    stage.monkeypatch.delenv("ME_STATUS_SCHEDULE")


def become(stage: Stage, customer: str, eligibility: str) -> None:
    with stage.org.open_transaction() as step:
        step.update("Account", customer, Internet_Eligibility_Status__c=eligibility)


def test_guests_alone_are_notified_and_the_others_get_no_backlog(stage: Stage) -> None:
    """Transitions and reminders of the others are passed over for good; after the mode news is sent as ever."""
    guest, other = stage.add_customers(2)
    stage.add_due_invoices(1, client=2)
    invite(stage, guest)
    assert 0 == stage.run("all").code
    stage.later(minutes=20)
    become(stage, guest, "Eligible")
    become(stage, other, "Eligible")
    assert 0 == stage.run("all").code
    told = [(guest, "ELIGIBILITY_ELIGIBLE")]
    passed_over = [(other, "ELIGIBILITY_ELIGIBLE", "not_a_guest"), (other, "INVOICE_DUE", "not_a_guest")]
    assert (told, passed_over) == (stage.rows(NOTIFIED), stage.rows(PASSED_OVER))
    assert "only the customers of the guest list were notified" in stage.me_status("explain", other).out
    invite_everybody(stage)
    stage.later(hours=2)
    assert 0 == stage.run("all").code
    assert told == stage.rows(NOTIFIED)
    become(stage, other, "Ineligible")
    stage.later(hours=23)
    assert 0 == stage.run("all").code
    assert [*told, (other, "ELIGIBILITY_INELIGIBLE"), (other, "INVOICE_DUE")] == stage.rows(NOTIFIED)


def test_status_says_that_guests_alone_are_notified(stage: Stage) -> None:
    """So that nobody forgets it: how many, and which file says so."""
    customers = stage.add_customers(2)
    invite(stage, customers[0])
    stage.run("all")
    assert {"only": "ids.txt", "customers": 1} == stage.me_status("status", "--json").answer["notify"]
    assert "only the 1 customer of ids.txt is notified" in stage.me_status("status").out
    invite_everybody(stage)
    assert stage.me_status("status", "--json").answer["notify"] is None


def test_an_announcement_and_a_release_reach_guests_alone(stage: Stage) -> None:
    """Whatever sends: what a gate held before the mode, too."""
    guest, other = stage.add_customers(2)
    stage.add_due_invoices(101, client=2)
    stage.add_due_invoices(1, client=1)
    assert 3 == stage.run("all").code
    invite(stage, guest)
    (run_id,) = [held["runId"] for held in stage.me_status("held", "list", "--json").answer["held"]]
    assert {"INVOICE_DUE": 1} == stage.me_status("held", "release", run_id, "--as-of", stage.now, "--json").answer[
        "sent"
    ]
    words = ("--title", "Works", "--message", "Sunday", "--key", "works", "--as-of", stage.now)
    assert "would go to 1 customer;" in stage.me_status("announce", *words, "--dry-run").out
    assert 0 == stage.me_status("announce", *words).code
    assert [(guest, "INVOICE_DUE"), (guest, "SYSTEM_ANNOUNCEMENT")] == stage.rows(NOTIFIED)
    invite_everybody(stage)
    stage.me_status("announce", *words)
    assert (other, "SYSTEM_ANNOUNCEMENT") in stage.rows(NOTIFIED)


@pytest.mark.parametrize(
    ("content", "said"), [(None, "cannot be read"), ("0012\n", "line 1 is not an Account id of 15 or 18 characters")]
)
def test_a_list_at_fault_is_named(tmp_path: Path, content: str | None, said: str) -> None:
    """A list that cannot be read must not mean everybody."""
    if content is not None:
        (tmp_path / "ids.txt").write_text(content)
    with pytest.raises(SettingsError, match=said):
        guests.load("ids.txt", tmp_path / "schedule.toml")
