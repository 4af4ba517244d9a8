"""Announcements: keys, languages, what would be reached, and taking them back."""

from __future__ import annotations

from tests.end_to_end.stage import Stage

WORDS = ("announce", "--title", "Works", "--message", "On Sunday")
SENT = "select customer_id, title, message from notification where resolved_at is null order by 1, notification_id"


def test_a_key_reaches_each_customer_once_and_is_withdrawn(stage: Stage) -> None:
    """Sent again it reaches who came since; withdrawn, all of it counts as resolved; again is harmless."""
    first, second = stage.add_customers(2)
    stage.run("all")
    keyed = (*WORDS, "--key", "works-1", "--as-of", stage.now, "--json")
    assert [2, 0] == [stage.me_status(*keyed).answer["sent"] for _ in range(2)]
    stage.later(minutes=5)
    (third,) = stage.add_customers(1)
    stage.run("all")
    assert 1 == stage.me_status(*keyed).answer["sent"]
    assert [first, second, third] == [customer for customer, _, _ in stage.rows(SENT)]
    assert 3 == stage.me_status("announce", "withdraw", "works-1", "--json").answer["withdrawn"]
    assert [] == stage.rows(SENT)
    assert 0 == stage.me_status("announce", "withdraw", "works-1", "--json").answer["withdrawn"]
    assert 1 == stage.me_status("announce", "withdraw", "works-2").code


def test_a_dry_run_says_whom_it_would_reach(stage: Stage) -> None:
    """Nothing is written, not even in the ledger."""
    stage.add_customers(2)
    stage.run("all")
    before = stage.everything()
    done = stage.me_status(*WORDS, "--dry-run", "--json")
    assert (0, 2, False) == (done.code, done.answer["customers"], done.answer["needsYes"])
    assert before == stage.everything()


def test_the_same_words_without_a_key_are_asked_about(stage: Stage) -> None:
    """Without a terminal nothing is sent; --yes sends them."""
    stage.add_customers(1)
    stage.run("all")
    again = (*WORDS, "--as-of", stage.now, "--json")
    assert 1 == stage.me_status(*again).answer["sent"]
    asked = stage.me_status(*again)
    assert (1, 0, True) == (asked.code, asked.answer["sent"], "--key" in asked.answer["error"])
    assert 1 == stage.me_status(*again, "--yes").answer["sent"]


def test_words_in_two_languages_reach_each_in_its_own(stage: Stage) -> None:
    """One language without the other's message is wrong use."""
    reader, _ = stage.add_customers(2)
    stage.run("all")
    stage.rows(f"update snapshot.account set language = 'ja' where account_id = '{reader}' returning 1")
    japanese = ("--title-ja", "工事", "--message-ja", "日曜日")
    assert 2 == stage.me_status(*WORDS, *japanese, "--as-of", stage.now, "--json").answer["sent"]
    assert {("工事", "日曜日"), ("Works", "On Sunday")} == {(title, message) for _, title, message in stage.rows(SENT)}
    assert 2 == stage.me_status(*WORDS, "--title-ja", "工事").code
