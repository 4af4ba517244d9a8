"""Rebuild after a change of copy: previewed, then done in place, with the API answering all the while."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from sqlalchemy import text

from config import wording
from config.database import LiveDatabase
from config.settings import Settings
from config.tables import load
from jobs.commands import status
from jobs.program import Program
from materializer.refresh.rebuild import forecast, rebuild, recompute
from materializer.refresh.refresh import refresh
from materializer.rules.rules import Rules
from materializer.units import At, Batching
from readapi.app import create_app
from readapi.connections import Connections
from tests.builders import LIMITS, rules

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
KEY = "a shared key of the tests, 32 bytes or more"
CUSTOMERS = [f"001{number:012}AAA" for number in range(60)]
RULES = rules("Asia/Tokyo")
REST = (
    "select (select json_agg(refresh_mark order by customer_id) from pipeline.refresh_mark)::text,"
    " (select json_agg(status_transition order by transition_id) from status_transition)::text,"
    " (select json_agg(o order by customer_id, type) from pipeline.notification_outbox as o)::text,"
    " (select json_agg(w order by customer_id, type) from pipeline.notification_window as w)::text,"
    " (select json_agg(notification order by notification_id) from notification)::text"
)
"""All that a rebuild leaves alone."""


def reworded(said: str) -> Rules:
    """The same rules with other words for one task."""
    words = wording.load("en", tasks={"eligibility_pending": {None: wording.TaskWords(description=said)}})
    return Rules(RULES.notifications, RULES.tasks, RULES.zone, words)


@pytest.fixture
def filled(database: LiveDatabase) -> LiveDatabase:
    """Sixty customers with documents; one of them is marked, and has news that waits."""
    with database.begin() as connection:
        connection.execute(
            text(
                "insert into snapshot.account (account_id, is_customer, eligibility_status, eligibility_known,"
                " verification_status) select unnest(cast(:ids as text[])), true, 'pending', 'pending', 'verified';"
            ),
            {"ids": CUSTOMERS},
        )
        connection.execute(text("insert into pipeline.refresh_mark select account_id, now() from snapshot.account"))
        connection.execute(text("update pipeline.source_state set synced_at = now()"))
        connection.execute(
            text(
                "insert into job_run (job, started_at, finished_at, outcome)"  # before whose end the API answers 503
                " values ('refresh', now(), now(), 'succeeded')"
            )
        )
    refresh(database, RULES, At(10, NOW), LIMITS, Batching(20))
    with database.begin() as connection:
        connection.execute(text("insert into pipeline.refresh_mark values (:id, now())"), {"id": CUSTOMERS[0]})
        connection.execute(
            text(
                "insert into status_transition (customer_id, entity, entity_id, field, new_value, observed_at, run_id,"
                " notification_type, is_pending) values (:id, 'account', :id, 'eligibility_status', 'eligible',"
                " now(), 1, 'ELIGIBILITY_ELIGIBLE', true)"
            ),
            {"id": CUSTOMERS[0]},
        )
    return database


class Portal:
    """Asks for one customer after the other until stopped, and keeps the answers that are neither old nor new."""

    def __init__(self, url: str, said: frozenset[str]) -> None:
        self.said = said
        self.answers = 0
        self.wrong: list[str] = []
        self.stopped = threading.Event()
        settings = Settings(_env_file=None, database_url=url, me_status_jwt_key=KEY, me_status_jwt_issuer="portal",
                            me_status_jwt_audience="me-status")  # type: ignore[call-arg]  # fmt: skip
        self.connections = Connections(url)
        self.client = create_app(settings, self.connections).test_client()
        self.thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self) -> Portal:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.thread.join()
        self.connections.close()

    def _ask(self) -> None:
        tokens = [self._token(customer) for customer in CUSTOMERS]
        while not self.stopped.is_set():
            for token in tokens:
                answer = self.client.get("/api/me/status", headers={"Authorization": f"Bearer {token}"})
                self._judge(answer.status_code, answer.get_json())
                self.answers += 1

    def _judge(self, code: int, body: dict[str, object]) -> None:
        tasks = body.get("tasks")
        said = {task["description"] for task in tasks} if isinstance(tasks, list) else set()
        if code != 200 or len(said) != 1 or not said <= self.said:
            self.wrong.append(f"{code}: {body}")

    @staticmethod
    def _token(customer: str) -> str:
        claims = {"sub": customer, "iss": "portal", "aud": "me-status", "exp": datetime.now(UTC) + timedelta(hours=1)}
        return jwt.encode(claims, KEY, "HS256")


def test_the_api_serves_old_or_new_throughout(filled: LiveDatabase, database_url: str) -> None:
    """Ten changes of copy, rebuilt under load: every answer is 200 with one of the wordings, and nobody is notified."""
    wordings = [f"We are looking into it for the {number}. time." for number in range(10)]
    before = rest(filled)
    with Portal(
        database_url, frozenset([*wordings, RULES.wording.of("en").tasks["eligibility_pending"].description])
    ) as portal:
        for number, said in enumerate(wordings):
            done = rebuild(filled, reworded(said), At(100 + number, NOW), Batching(7))
            assert (60, 60, 0, 0) == (done.customers, done.changed, done.added, done.removed)
    assert [] == portal.wrong
    assert portal.answers > len(CUSTOMERS)
    assert before == rest(filled)


def test_a_report_comes_first_and_touches_nothing(filled: LiveDatabase) -> None:
    """Per field, in how many documents; not one row is written."""
    before, stored = rest(filled), documents(filled)
    preview = forecast(filled, reworded("Soon."), NOW)
    assert {"tasks": (60, tuple(CUSTOMERS[:5]))} == {
        path: (difference.documents, difference.samples) for path, difference in preview.differences.items()
    }
    assert (before, stored) == (rest(filled), documents(filled))


def test_status_tells_of_rows_that_other_rules_made(filled: LiveDatabase) -> None:
    """After a change of copy all rows are of another version, until they are rebuilt."""
    changed = program("Soon.")
    rebuilt = Rules(changed.tables.notifications, changed.tables.tasks, changed.settings.zone, changed.tables.wording)
    assert [{"count": 60, "ofOtherRules": 60}, "60 of 60 documents are of other rules"] == told_by_status(
        filled, changed
    )
    rebuild(filled, rebuilt, At(100, NOW))
    assert [{"count": 60, "ofOtherRules": 0}, None] == told_by_status(filled, changed)


def test_documents_of_other_rules_are_recomputed_some_at_a_time(filled: LiveDatabase) -> None:
    """After a change of copy so many in each go until none is left; nobody is notified, marks and news wait."""
    before, changed = rest(filled), reworded("Soon.")
    done = [recompute(filled, changed, At(100 + go, NOW), Batching(10), at_most=25).customers for go in range(4)]
    assert ([25, 25, 10, 0], before) == (done, rest(filled))
    assert {changed.version} == {row[0] for row in versions(filled)}


def test_a_customer_whose_document_fails_does_not_keep_others_from_their_turn(filled: LiveDatabase) -> None:
    """Those set aside are passed over; their own turn comes with the retry."""
    with filled.begin() as connection:
        connection.execute(
            text("insert into pipeline.failed_customer values (:id, 'ill', 1, now(), now(), now() + '1 hour', 1)"),
            {"id": CUSTOMERS[0]},
        )
    done = [recompute(filled, reworded("Soon."), At(100 + go, NOW), Batching(9), at_most=30) for go in range(3)]
    assert [30, 29, 0] == [part.customers for part in done]


def versions(database: LiveDatabase) -> list[tuple[object, ...]]:
    with database.begin() as connection:
        return [tuple(row) for row in connection.execute(text("select distinct rules_version from me_status"))]


def program(said: str) -> Program:
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    tables = load(settings)
    return Program(settings, replace(tables, wording=reworded(said).wording))


def told_by_status(database: LiveDatabase, program: Program) -> list[object]:
    with database.begin() as connection:
        state = status.gather(connection, program, now=NOW)
    lines = [line.strip().split(" than")[0] for line in status.in_words(state) if "other rules" in line]
    return [state["documents"], lines[0] if lines else None]


def rest(database: LiveDatabase) -> tuple[object, ...]:
    with database.begin() as connection:
        return tuple(connection.execute(text(REST)).one())


def documents(database: LiveDatabase) -> list[tuple[object, ...]]:
    with database.begin() as connection:
        return [
            tuple(row)
            for row in connection.execute(text("select me_status.*, document::text from me_status order by 1"))
        ]
