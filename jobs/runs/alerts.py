"""Telling a person: a signed POST to ME_STATUS_ALERT_URL when the verdict changes, and when a run is held.

Each change is a row first and is sent once (again only while it was not accepted), whichever scheduler sends it. The
body and its signature are those of Standard Webhooks, so that any library of theirs verifies it.
"""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine

import sql
from config import logs
from jobs.program import Program
from jobs.runs import health
from materializer import holds

log = logs.get("alerts")
LOOK_SECONDS = 15.0
SECONDS = 10.0
"""What the receiver has to answer within."""

MOST_A_ROUND = 10
"""So many are sent in one round; the others in the next."""


class Bell:
    """Notes changes, and sends them in a thread of its own, so that a slow receiver delays nothing."""

    def __init__(self) -> None:
        self._looked_at = float("-inf")
        self._sending = threading.Thread(name="alerts")

    def look(self, engine: Engine, program: Program) -> None:
        """Notes changes and begins to send what waits, every LOOK_SECONDS; nothing without ME_STATUS_ALERT_URL."""
        if program.settings.me_status_alert_url is None or time.monotonic() - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = time.monotonic()
        note(engine, program, datetime.now(UTC))
        if not self._sending.is_alive():
            self._sending = threading.Thread(target=_send, args=(engine, program), name="alerts", daemon=True)
            self._sending.start()


def _send(engine: Engine, program: Program) -> None:
    try:
        send(engine, program)
    except Exception as error:  # noqa: BLE001, the next round tries again
        log.error("alerts could not be sent", error=logs.describe(error))


def note(engine: Engine, program: Program, now: datetime) -> None:
    """Notes a verdict that differs from the last one, and runs held since."""
    with engine.begin() as connection:
        reasons = [vars(reason) for reason in health.verdict(connection, program, now)]
        last = connection.execute(sql.statement("operator/read_last_verdict")).first()
        was_healthy = last is None or last.is_healthy  # healthy at first is not a change
        if was_healthy != (not reasons):
            change = 1 if last is None else int(last.verdicts) + 1
            _insert(connection, "health", str(change), now, {"healthy": not reasons, "reasons": reasons})
        for run in holds.waiting(connection):
            _insert(
                connection, "hold", str(run.run_id), now, {"runId": run.run_id, "gate": run.gate, "source": run.source}
            )


def send(engine: Engine, program: Program) -> int:
    """Sends what waits, oldest first, until one is not accepted, MOST_A_ROUND at most; how many were."""
    for sent in range(MOST_A_ROUND):
        with engine.begin() as connection:
            alert = connection.execute(sql.statement("operator/claim_alert")).first()
        if alert is None or not _post(program, alert.alert_id, json.dumps(alert.detail)):
            return sent
        with engine.begin() as connection:
            connection.execute(sql.statement("operator/note_alert_sent"), {"alert_id": alert.alert_id})
    return MOST_A_ROUND


def _insert(connection: Connection, kind: str, state: str, now: datetime, data: dict[str, Any]) -> None:
    body = {"type": f"me_status.{kind}", "timestamp": now.isoformat().replace("+00:00", "Z"), "data": data}
    parameters = {"kind": kind, "state": state, "detail": json.dumps(body)}
    connection.execute(sql.statement("operator/insert_alert"), parameters)


def _post(program: Program, alert_id: int, body: str) -> bool:
    from standardwebhooks import Webhook

    from config import outgoing

    settings = program.settings
    assert settings.me_status_alert_url is not None
    assert settings.me_status_alert_secret is not None
    now, message = datetime.now(UTC), f"msg_{alert_id}"
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(settings.me_status_alert_secret.get_secret_value()).sign(message, now, body),
    }
    try:
        with outgoing.session(seconds=SECONDS, largest=64 * 1024) as session:
            answer = session.post(
                settings.me_status_alert_url, data=body.encode(), headers=headers, allow_redirects=False
            )
        answer.raise_for_status()
        return answer.ok and not answer.is_redirect
    except OSError as error:  # what requests raises is one
        log.warning("alert not accepted; it is tried again", alert_id=alert_id, error=type(error).__name__)
        return False
