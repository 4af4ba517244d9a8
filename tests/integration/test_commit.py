"""Taking pulled streams into the snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import Engine, text

from config import fields
from config.database import LiveDatabase, rehearsal
from config.schedule import ShrinkGate
from materializer.snapshot import commit, shrink_gate
from materializer.snapshot.commit import Applied
from materializer.snapshot.pulls import HistoricChange, Pulled, SetAsideRecord
from materializer.snapshot.streams import STREAMS, Stream
from materializer.snapshot.transitions import TransitionPolicy
from materializer.units import At, Batching

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
WORDS = fields.load().words
BASELINE = TransitionPolicy(WORDS, is_baseline=True)
LATER = TransitionPolicy(WORDS, created_after=NOW)
GATE = ShrinkGate(percent=5, rows=10)
ORDER = {"order_id": "o", "status": "Draft", "stage": "draft", "modified_at": NOW}
DOCUMENT = """
    insert into me_status (
        customer_id, salesforce_account_id, whmcs_client_id, eligibility_status, verification_status, task_count,
        document, content_hash, computed_at, rules_version, run_id
    )
    values (:customer, :customer, :client, 'eligible', 'verified', 0, '{}', 'h', now(), 'v', 1)
"""


@dataclass
class Rows:
    """A spool in memory."""

    stream: Stream
    table: pa.Table

    @property
    def rows(self) -> int:
        return len(self.table)

    def windows(self, size: int) -> Iterator[pa.Table]:
        ordered = self.table.sort_by(self.stream.key)
        for start in range(0, len(ordered), size):
            yield ordered.slice(start, size)

    def close(self) -> None: ...


def pulled(name: str, *rows: dict[str, Any], **more: Any) -> Pulled:
    stream = STREAMS[name]
    table = pa.Table.from_pylist([dict.fromkeys(stream.columns) | row for row in rows], schema=stream.schema)
    return Pulled(**({"stream": stream, "spool": Rows(stream, table), "extent": "full"} | more))


def account(account_id: str, eligibility: str = "pending", client: int | None = None, **more: Any) -> dict[str, Any]:
    known = None if eligibility == "unknown" else eligibility
    return {
        "account_id": account_id,
        "is_customer": True,
        "eligibility_status": eligibility,
        "eligibility_known": known,
        "verification_status": "submitted",
        "verification_known": "submitted",
        "whmcs_client_id": client,
        "created_at": NOW - timedelta(days=9),
        "modified_at": NOW,
    } | more


def service(service_id: int, client_id: int, status: str = "Active") -> dict[str, Any]:
    return {"service_id": service_id, "client_id": client_id, "status": status, "status_known": status}


def take(
    database: Any,
    reading: Pulled,
    policy: TransitionPolicy = LATER,
    *,
    run_id: int = 2,
    now: datetime = NOW,
    size: int = 100,
) -> Applied:
    return commit.apply(database, reading, policy, At(run_id, now), Batching(size))


def values(engine: Engine, query: str) -> list[Any]:
    with engine.connect() as connection:
        rows = connection.execute(text(query)).all()
    return [row[0] if len(row) == 1 else tuple(row) for row in rows]


def test_a_baseline_stores_rows_marks_everybody_and_makes_no_transition(database: LiveDatabase, engine: Engine) -> None:
    """The first pull of a stream is a baseline."""
    taken = take(database, pulled("account", account("a", "eligible"), account("b")), BASELINE)
    assert (2, {}) == (taken.added, taken.transitions)
    assert ["a", "b"] == values(engine, "select customer_id from pipeline.refresh_mark order by 1")
    assert ["account"] == values(engine, "select stream from pipeline.stream_state")


def test_every_type_of_value_survives_the_way_in_and_back(database: LiveDatabase, engine: Engine) -> None:
    """Nulls, empty text, quotes, line ends, money digits and microseconds come back as they went in."""
    at = NOW.replace(microsecond=120)
    rows = [
        {"invoice_id": 1, "client_id": 1, "invoice_number": "", "total": "3300.00", "paid_at": at, "created_at": NOW},
        {"invoice_id": 2, "client_id": 1, "status": 'a "b",\n領収', "invoiced_on": NOW.date(), "total": "-0.5"},
    ]
    take(database, pulled("invoice", *rows), BASELINE, run_id=1)
    again = take(database, pulled("invoice", *rows))
    assert (0, 0, 2) == (again.added, again.changed, again.unchanged)
    assert [1] == values(engine, "select invoice_id from snapshot.invoice where invoice_number = ''")


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_the_same_data_a_second_time_writes_nothing(database: LiveDatabase, engine: Engine, size: int) -> None:
    """Whatever the windows, a second pull of the same rows leaves every row as it is."""
    rows = [account(name, client=number) for number, name in enumerate("abcd")]
    take(database, pulled("account", *rows), BASELINE, run_id=1)
    before = values(engine, "select account_id, xmin::text from snapshot.account order by 1")
    taken = take(database, pulled("account", *rows), size=size)
    assert (4, 0, 0, 4, ()) == (taken.read, taken.added, taken.changed, taken.unchanged, taken.missing)
    assert before == values(engine, "select account_id, xmin::text from snapshot.account order by 1")


def test_a_full_pull_tells_what_is_missing_and_removes_nothing_yet(database: LiveDatabase, engine: Engine) -> None:
    """Windows cover the whole key space: before the first key, between windows and after the last key."""
    take(database, pulled("service", *(service(number, 1) for number in range(1, 10))), BASELINE, run_id=1)
    taken = take(database, pulled("service", service(3, 1), service(5, 1), service(7, 1)), size=1)
    assert (1, 2, 4, 6, 8, 9) == taken.missing
    assert [9] == values(engine, "select count(*) from snapshot.service")


def test_an_empty_full_pull_misses_everything(database: LiveDatabase) -> None:
    """No rows at all are one open window."""
    take(database, pulled("service", service(1, 1)), BASELINE, run_id=1)
    assert (1,) == take(database, pulled("service")).missing


def test_a_record_set_aside_is_not_missing(database: LiveDatabase, engine: Engine) -> None:
    """Its row stays as last known; a good reading clears the reason."""
    take(database, pulled("service", service(1, 1), service(2, 1)), BASELINE, run_id=1)
    malformed = (SetAsideRecord("2", "regdate", "'x' is not a date"),)
    assert () == take(database, pulled("service", service(1, 1), set_aside=malformed)).missing
    assert [("service", "2")] == values(engine, "select stream, record_id from pipeline.set_aside_record")
    take(database, pulled("service", service(2, 1), extent="partial"), run_id=3)
    assert [] == values(engine, "select record_id from pipeline.set_aside_record")


def test_a_change_is_stored_told_and_marked_for_its_customer_alone(database: LiveDatabase, engine: Engine) -> None:
    """A service's cancellation reaches the customer that the link gives."""
    take(database, pulled("account", account("a", client=1), account("b", client=2)), BASELINE, run_id=1)
    take(database, pulled("client", {"client_id": 1}, {"client_id": 2}), BASELINE, run_id=1)
    take(database, pulled("service", service(5, 1), service(6, 2)), BASELINE, run_id=1)
    clear_marks(engine)
    taken = take(database, pulled("service", service(5, 1, "Cancelled"), extent="partial"))
    assert {"CANCELLATION_COMPLETE": 1} == taken.transitions
    found = values(engine, "select customer_id, entity_id, old_value, new_value, is_pending from status_transition")
    assert [("a", "5", "Active", "Cancelled", True)] == found
    assert ["a"] == values(engine, "select customer_id from pipeline.refresh_mark")


def test_a_link_in_doubt_makes_it_nobodys_news(database: LiveDatabase, engine: Engine) -> None:
    """Two accounts on one client: the transition has no customer, and both accounts are marked."""
    take(database, pulled("account", account("a", client=1), account("b", client=1)), BASELINE, run_id=1)
    take(database, pulled("client", {"client_id": 1}), BASELINE, run_id=1)
    take(database, pulled("service", service(5, 1)), BASELINE, run_id=1)
    clear_marks(engine)
    take(database, pulled("service", service(5, 1, "Cancelled"), extent="partial"))
    assert [(None, False)] == values(engine, "select customer_id, is_pending from status_transition")
    assert ["a", "b"] == values(engine, "select customer_id from pipeline.refresh_mark order by 1")


def test_a_moved_link_marks_everybody_who_claims_either_client(database: LiveDatabase, engine: Engine) -> None:
    """An account that leaves a client ends the conflict it was in, and starts another."""
    rows = [account("a", client=1), account("b", client=1), account("c", client=2), account("d", client=3)]
    take(database, pulled("account", *rows), BASELINE, run_id=1)
    clear_marks(engine)
    take(database, pulled("account", account("a", client=2), extent="partial"))
    assert ["a", "b", "c"] == values(engine, "select customer_id from pipeline.refresh_mark order by 1")


@pytest.mark.parametrize(
    ("name", "before", "after", "expected"),
    [
        ("invoice", {"invoice_id": 1, "client_id": 1}, {"invoice_id": 1, "client_id": 2}, ["a", "b"]),
        ("invoice", {"invoice_id": 1, "client_id": 1}, {"invoice_id": 1, "client_id": 1, "status": "Paid"}, []),
        ("order", ORDER | {"account_id": "a"}, ORDER | {"account_id": "c"}, ["a", "c"]),
        ("account", account("a", client=1), account("a", client=2), ["a", "b"]),
        ("account", account("a", client=1), account("a", "eligible", client=1), []),
    ],
)
def test_whoever_something_changes_hands_between_is_refreshed_together(
    database: LiveDatabase, engine: Engine, name: str, before: Any, after: Any, expected: list[str]
) -> None:
    """A record with another owner, or an account with another link; any other change ties nobody."""
    everybody = [account("a", client=1), account("b", client=2), account("c", client=3)]
    take(database, pulled("account", *everybody), BASELINE, run_id=1)
    take(database, pulled(name, before, extent="partial"), BASELINE, run_id=1)
    clear_marks(engine)
    take(database, pulled(name, after, extent="partial"))
    tied = "select customer_id from pipeline.refresh_mark where changes_hands order by 1"
    assert expected == values(engine, tied)


def test_a_crash_between_windows_loses_nothing_and_tells_nothing_twice(database: LiveDatabase, engine: Engine) -> None:
    """The cursor has not moved, and the next run finds what the first did not commit."""
    take(database, pulled("account", *(account(name) for name in "abcd")), BASELINE, run_id=1)
    changed = pulled("account", *(account(name, "eligible") for name in "abcd"), cursor_at=NOW)
    with pytest.raises(ZeroDivisionError):
        take(database, replace(changed, spool=Breaking(changed.spool)), size=1)
    assert [None] == values(engine, "select cursor_at from pipeline.stream_state")
    assert [1] == values(engine, "select count(*) from status_transition")
    take(database, changed, run_id=3)
    assert ["a", "b", "c", "d"] == values(engine, "select entity_id from status_transition order by 1")


def test_a_unit_done_twice_is_done_once(database: LiveDatabase, engine: Engine) -> None:
    """The second commit of the same units is a no-op that returns the stored counts."""
    take(database, pulled("service", service(1, 1), service(2, 1)), BASELINE, run_id=1)
    first = take(database, pulled("service", service(1, 1, "Suspended")))
    second = take(database, pulled("service", service(1, 1, "Suspended")))
    assert (first.changed, first.missing, first.transitions) == (second.changed, second.missing, second.transitions)
    assert [1] == values(engine, "select count(*) from status_transition")


def test_an_older_stamp_is_ignored(database: LiveDatabase, engine: Engine) -> None:
    """A row modified before the known one is not news."""
    take(database, pulled("account", account("a", "eligible")), BASELINE, run_id=1)
    late = account("a", "pending", modified_at=NOW - timedelta(minutes=1))
    assert (0, 1) == ((taken := take(database, pulled("account", late, extent="partial"))).changed, taken.ignored)
    assert ["eligible"] == values(engine, "select eligibility_status from snapshot.account")


def test_the_pay_methods_of_a_client_are_whole_and_its_reading_is_noted(database: LiveDatabase, engine: Engine) -> None:
    """What a client's answer lacks is missing; other clients' methods stay; none at all is known to be none."""
    take(database, pulled("account", account("a", client=1), account("b", client=2)), BASELINE, run_id=1)
    methods = [{"pay_method_id": number, "client_id": 1 + number % 2} for number in range(6)]
    take(database, pulled("pay_method", *methods, extent="owners", owners=(1, 2)), BASELINE, run_id=1)
    clear_marks(engine)
    taken = take(database, pulled("pay_method", methods[0], methods[4], extent="owners", owners=(1, 3)), size=1)
    assert (0, (2,)) == (taken.removed, taken.missing)
    assert {"pay_method": 1} == shrink_gate.apply_removals(database, [taken], GATE, At(2, NOW)).removed
    assert [0, 1, 3, 4, 5] == values(engine, "select pay_method_id from snapshot.pay_method order by 1")
    assert [1, 2, 3] == values(engine, "select client_id from pipeline.pay_method_reading order by 1")
    assert ["a"] == values(engine, "select customer_id from pipeline.refresh_mark")


def test_a_document_is_no_younger_than_what_it_shows_of_records_gone(database: LiveDatabase, engine: Engine) -> None:
    """A reading counts once what it found gone is removed: killed before, the next run reads it again.

    The mark of a removal keeps the age the document had, and a stream or client that lost nothing is read at once.
    """
    methods = [{"pay_method_id": number, "client_id": number} for number in (1, 2)]
    ages = "select pay_methods_at, billing_at from pipeline.fact_age order by customer_id"
    marked = "select pay_methods_at, billing_at from pipeline.refresh_mark order by customer_id"
    first = [
        take(database, pulled("account", account("a", client=1), account("b", client=2)), BASELINE, run_id=1),
        take(database, pulled("client", {"client_id": 1}, {"client_id": 2}), BASELINE, run_id=1),
        take(database, pulled("service", service(1, 1), service(2, 2)), BASELINE, run_id=1),
        take(database, pulled("invoice", {"invoice_id": 1, "client_id": 1}), BASELINE, run_id=1),
        take(database, pulled("pay_method", *methods, extent="owners", owners=(1, 2)), BASELINE, run_id=1),
    ]
    assert all(not one.missing for one in first)
    serve(engine, a=1, b=2)
    later = NOW + timedelta(hours=1)
    lacking = [
        take(database, pulled("client", {"client_id": 1}, {"client_id": 2}), run_id=2, now=later),
        take(database, pulled("service", service(2, 2)), run_id=2, now=later),
        take(database, pulled("invoice", {"invoice_id": 1, "client_id": 1}), run_id=2, now=later),
        take(database, pulled("pay_method", methods[1], extent="owners", owners=(1, 2)), run_id=2, now=later),
    ]
    assert [(NOW, NOW), (later, NOW)] == values(engine, ages)
    assert [] == values(engine, marked)
    shrink_gate.apply_removals(database, lacking, GATE, At(2, later))
    assert [(later, later), (later, later)] == values(engine, ages)
    assert [(NOW, NOW)] == values(engine, marked)


def test_a_reading_whose_removals_are_held_counts_when_they_are(database: LiveDatabase, engine: Engine) -> None:
    """Those whose rows are in doubt wait for the operator, everybody else was read."""
    take(database, pulled("service", *(service(number, number) for number in range(3))), BASELINE, run_id=1)
    later = NOW + timedelta(hours=1)
    read_at = "select read_at from pipeline.stream_state where stream = 'service'"
    none = take(database, pulled("service"), run_id=2, now=later)
    assert [NOW] == values(engine, read_at)
    assert shrink_gate.apply_removals(database, [none], GATE, At(2, later)).held is not None
    assert [later] == values(engine, read_at)


def serve(engine: Engine, **clients: int) -> None:
    """Documents of these accounts, of their clients, and no mark that waits."""
    clear_marks(engine)
    with engine.begin() as connection:
        for customer, client in clients.items():
            connection.execute(text(DOCUMENT), {"customer": customer, "client": client})


def test_pay_methods_found_for_nobody_are_held(database: LiveDatabase, engine: Engine) -> None:
    """Every client read, not one card found: more likely a fault of the source than the truth."""
    known_cards(database, clients=229)
    none = take(database, pulled("pay_method", extent="owners", owners=tuple(range(229))))
    held = shrink_gate.apply_removals(database, [none], GATE, At(2, NOW)).held
    assert {"pay_method": 229} == (held or {}).get("removals")
    assert [229] == values(engine, "select count(*) from snapshot.pay_method")


def test_a_later_reading_of_everybody_supersedes_held_pay_methods(database: LiveDatabase, engine: Engine) -> None:
    """The fault was the source's, and nobody needs to decide; a reading of some clients does not say so."""
    known_cards(database, clients=20)
    everybody = tuple(range(20))
    none = take(database, pulled("pay_method", extent="owners", owners=everybody))
    shrink_gate.apply_removals(database, [none], GATE, At(2, NOW))
    cards = [{"pay_method_id": key, "client_id": key} for key in everybody]
    some = take(database, pulled("pay_method", *cards[:5], extent="owners", owners=everybody[:5]), run_id=3)
    shrink_gate.apply_removals(database, [some], GATE, At(3, NOW))
    assert [None] == values(engine, "select decision from pipeline.held_run")
    back = take(database, pulled("pay_method", *cards, extent="owners", owners=everybody), run_id=4)
    shrink_gate.apply_removals(database, [back], GATE, At(4, NOW))
    assert ["superseded"] == values(engine, "select decision from pipeline.held_run")


def test_one_client_may_lose_every_card(database: LiveDatabase, engine: Engine) -> None:
    """The rule of every row is for readings of everybody."""
    known_cards(database, clients=20)
    more = [{"pay_method_id": 1000 + number, "client_id": 7} for number in range(4)]
    take(database, pulled("pay_method", *more, {"pay_method_id": 7, "client_id": 7}, extent="owners", owners=(7,)))
    none = take(database, pulled("pay_method", extent="owners", owners=(7,)), run_id=3)
    assert {"pay_method": 5} == shrink_gate.apply_removals(database, [none], GATE, At(3, NOW)).removed
    assert [19] == values(engine, "select count(*) from snapshot.pay_method")


def known_cards(database: LiveDatabase, clients: int) -> None:
    owners = tuple(range(clients))
    take(database, pulled("client", *({"client_id": key} for key in owners)), BASELINE, run_id=1)
    cards = ({"pay_method_id": key, "client_id": key} for key in owners)
    take(database, pulled("pay_method", *cards, extent="owners", owners=owners), BASELINE, run_id=1)


def test_a_deleted_account_leaves_and_is_marked(database: LiveDatabase, engine: Engine) -> None:
    """A soft delete the source reports is removed without a gate."""
    take(database, pulled("account", account("a"), account("b")), BASELINE, run_id=1)
    clear_marks(engine)
    assert 1 == take(database, pulled("account", extent="partial", deleted={"a", "z"})).removed
    assert ["b"] == values(engine, "select account_id from snapshot.account")
    assert ["a"] == values(engine, "select customer_id from pipeline.refresh_mark")


def test_a_merge_hands_everything_to_the_winner_at_the_end_of_the_chain(database: LiveDatabase, engine: Engine) -> None:
    """Notifications, windows and earlier redirects move; of two windows the later stands."""
    take(database, pulled("account", account("a"), account("b"), account("c")), BASELINE, run_id=1)
    clear_marks(engine)
    with engine.begin() as connection:
        connection.execute(text(
            "insert into notification (customer_id, type, source_id, title, message, action_url, created_at, run_id)"
            " values ('a', 'INVOICE_DUE', '7', '', '', '/', now(), 1)"
        ))  # fmt: skip
        connection.execute(text(
            "insert into pipeline.notification_window (customer_id, type, source_id, last_sent_at) values"
            " ('a', 'INVOICE_DUE', '7', '2026-03-02Z'), ('b', 'INVOICE_DUE', '7', '2026-03-01Z')"
        ))  # fmt: skip
    take(database, pulled("account", extent="partial", deleted={"a"}, merged={"a": "b"}))
    take(database, pulled("account", extent="partial", deleted={"b"}, merged={"b": "c"}), run_id=3)
    redirects = values(engine, "select account_id, customer_id from pipeline.account_redirect order by 1")
    assert [("a", "c"), ("b", "c")] == redirects
    assert ["c"] == values(engine, "select customer_id from notification")
    windows = values(engine, "select customer_id, last_sent_at from pipeline.notification_window")
    assert [("c", datetime(2026, 3, 2, tzinfo=UTC))] == windows
    assert ["a", "b", "c"] == values(engine, "select customer_id from pipeline.refresh_mark order by 1")


def test_a_status_that_moved_and_came_back_is_told_by_its_history_once(database: LiveDatabase, engine: Engine) -> None:
    """Steps that were observed before are not notified again, though the overlap reads them again."""
    take(database, pulled("account", account("a", "pending")), BASELINE, run_id=1)
    history = tuple(
        HistoricChange("a", "eligibility_status", old, new, NOW + timedelta(seconds=seconds))
        for old, new, seconds in (("Pending", "Eligible", 5), ("Eligible", "Pending", 9))
    )
    came_back = account("a", "pending", modified_at=NOW + timedelta(seconds=9))
    for run_id in (2, 3):
        take(database, pulled("account", came_back, extent="partial", history=history), run_id=run_id)
    found = values(engine, "select old_value, new_value from status_transition order by transition_id")
    assert [("pending", "eligible"), ("eligible", "pending")] == found


def test_an_incomplete_pull_is_taken_in_and_leaves_the_cursor(database: LiveDatabase, engine: Engine) -> None:
    """Nothing is concluded from it but the rows it brought; a first one makes no baseline."""
    incomplete = {"is_complete": False, "why_incomplete": "counts differ", "cursor_at": NOW}
    take(database, pulled("service", service(1, 1), **incomplete), BASELINE, run_id=1)
    assert [] == values(engine, "select stream from pipeline.stream_state")
    take(database, pulled("service", service(1, 1)), BASELINE, run_id=2)
    take(database, pulled("service", service(2, 1), **incomplete), run_id=3)
    assert [None] == values(engine, "select cursor_at from pipeline.stream_state")


def test_a_rehearsal_does_the_same_and_keeps_nothing(engine: Engine) -> None:
    """--dry-run runs the very same code, several windows and updates included."""
    live = LiveDatabase(engine)
    take(live, pulled("account", account("a"), account("b")), BASELINE, run_id=1)
    with rehearsal(engine) as database:
        taken = take(database, pulled("account", account("a", "eligible"), account("b", "eligible")), size=1)
    assert {"ELIGIBILITY_ELIGIBLE": 2} == taken.transitions
    assert [] == values(engine, "select transition_id from status_transition")


@dataclass
class Breaking:
    """A spool that breaks after its first window was read."""

    whole: Any

    @property
    def rows(self) -> int:
        return int(self.whole.rows)

    def windows(self, size: int) -> Iterator[pa.Table]:
        windows = self.whole.windows(size)
        yield next(windows)
        yield next(windows)
        raise ZeroDivisionError

    def close(self) -> None: ...


def clear_marks(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("delete from pipeline.refresh_mark"))


def test_a_row_that_somebody_else_changed_is_put_right_by_the_next_pull(database: LiveDatabase, engine: Engine) -> None:
    """The hash beside it does not outlive the values it was made of."""
    take(database, pulled("service", service(1, 7), service(2, 7)), BASELINE, run_id=1)
    with engine.begin() as connection:
        connection.execute(text("update snapshot.service set product_name = 'by hand' where service_id = 1"))
    taken = take(database, pulled("service", service(1, 7), service(2, 7)))
    assert (1, 1) == (taken.changed, taken.unchanged)
    assert values(engine, "select product_name from snapshot.service order by service_id") == [None, None]


def test_rows_without_a_hash_get_theirs_and_change_nothing(database: LiveDatabase, engine: Engine) -> None:
    """As after the upgrade that brought the hashes."""
    take(database, pulled("service", service(1, 7), service(2, 7)), BASELINE, run_id=1)
    hashes = values(engine, "select content_hash from snapshot.service order by service_id")
    with engine.begin() as connection:
        connection.execute(text("update snapshot.service set content_hash = null"))
        connection.execute(text("delete from pipeline.refresh_mark"))
    taken = take(database, pulled("service", service(1, 7), service(2, 7)))
    assert (0, 2) == (taken.changed, taken.unchanged)
    assert values(engine, "select content_hash from snapshot.service order by service_id") == hashes
    assert values(engine, "select count(*) from pipeline.refresh_mark") == [0]
