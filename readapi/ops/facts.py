"""What the operator's pages show, read from the tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from prometheus_client.core import GaugeMetricFamily, Metric

from config import health
from config.health import JobSeen, Reason, Seen, SourceSeen
from config.schedule import Schedule
from config.types import JOBS
from readapi.gauges import Gauges, Run
from readapi.ops import charts
from readapi.ops.charts import Bar
from readapi.statements import Row, Statements

AT_MOST = 20
"""Rows of each list of problems; `status --json` has all."""
BARS = 60
WAITING = ("oldest_mark_at", "oldest_outbox_at", "differing_streams", "differing_documents", "first_run_at")
"""The columns of health/read_waiting, by their names in `Seen`."""


class Facts:
    """Reads them. Instants are aware; lists are short."""

    def __init__(self, statements: Statements, gauges: Gauges, schedule: Schedule, zone: ZoneInfo) -> None:
        self._statements = statements
        self.gauges = gauges
        self.schedule = schedule
        self.zone = zone

    def verdict(self, now: datetime) -> list[Reason]:
        """The same as `status` gives; empty: healthy."""
        return health.judge(self.seen(), self.schedule, self.zone, now)

    def seen(self) -> Seen:
        """What the verdict rests on."""
        waiting = dict(zip(WAITING, self._statements.all("health/read_waiting")[0], strict=True))
        return Seen(
            sources=[SourceSeen(*row) for row in self._statements.all("ledger/list_source_states")],
            jobs=[JobSeen(*row) for row in self._statements.all("health/list_job_states", jobs=list(JOBS))],
            held=[hold.run_id for hold in self.gauges.holds()],
            **waiting,
        )

    def verdict_metrics(self, now: datetime) -> Iterator[Metric]:
        """The verdict as metrics, under the names that the scheduler's port gives as well."""
        reasons = self.verdict(now)
        yield GaugeMetricFamily("me_status_healthy", "1 when `me-status status` would say healthy.", value=not reasons)
        kinds = GaugeMetricFamily("me_status_unhealthy_reasons", "Reasons why it is not healthy.", labels=["kind"])
        for kind in health.KINDS:
            kinds.add_metric([kind], sum(reason.kind == kind for reason in reasons))
        yield kinds

    def jobs(self, now: datetime) -> list[dict[str, Any]]:
        """Each scheduled job: its last run, its next slot, whether it is paused, and its runs as a chart."""
        last = {run.job: run for run in self.gauges.last_runs()}
        paused = {row[0]: row for row in self._statements.all("operator/list_pauses", now=now)}
        return [
            {
                "name": job,
                "last": last.get(job),
                "next": timing.slot_after(now, self.zone),
                "pause": paused.get(job),
                "bars": self.durations(job),
            }
            for job, timing in self.schedule.jobs.items()
        ]

    def durations(self, job: str) -> list[Bar]:
        """How long the job's newest runs took, oldest first; each bar leads to its run."""
        rows = self._statements.all("ledger/list_durations", job=job, count=BARS)[::-1]
        values = [(f"run {run_id}: {outcome}, {seconds:.1f} s", outcome, seconds) for run_id, outcome, seconds in rows]
        return charts.bars(values, [f"/ops/runs/{row[0]}" for row in rows])

    def streams(self) -> list[Row]:
        """Each stream: when it was last read well, and when in full."""
        return self._statements.all("ledger/list_stream_ages")

    def schedulers(self) -> list[Row]:
        """Each scheduler: name, start, last beat."""
        return self._statements.all("ledger/list_heartbeats")

    def news(self) -> list[Row]:
        """Notifications by type: today, yesterday, and on a usual day, the median of the two weeks before."""
        return self._statements.all("api/count_sent_by_type", zone=self.zone.key)

    def days(self) -> dict[str, list[Bar]]:
        """Notifications and transitions of each of the last two weeks' days as charts, oldest first."""
        rows = self._statements.all("operator/count_days", zone=self.zone.key)
        return {
            name: charts.bars([(f"{row[0]:%d %b}: {row[place]:,} {name}", "day", row[place]) for row in rows])
            for place, name in ((1, "notifications"), (2, "transitions"))
        }

    def problems(self) -> dict[str, list[Row]]:
        """What is set aside, fails, lacks rows, is in doubt, or is a status in a word that no mapping knows."""
        return {
            "set_aside": self._statements.all("snapshot/count_set_aside_by_reason", at_most=AT_MOST),
            "customers": self._statements.all("refresh/list_failed_customers", at_most=AT_MOST),
            "streams": self._statements.all("snapshot/list_incomplete_streams", at_most=AT_MOST),
            "links": self._statements.all("snapshot/count_noted_link_problems"),
            "words": self._statements.all("snapshot/list_unknown_words", at_most=AT_MOST),
        }

    def actions(self) -> list[Row]:
        """What operators decided last, and what came of it."""
        return self._statements.all("operator/list_newest_actions", count=10)

    def run(self, run_id: int) -> dict[str, Any] | None:
        """One run with its counts and what it held; None when there is none."""
        row = self._statements.one("ledger/read_run", run_id=run_id)
        if row is None:
            return None
        *ledger, due_at, gate, summary, decision = row
        number, job, started_at, finished_at, outcome, counts, error = ledger
        took = None if finished_at is None else finished_at - started_at
        run = Run(number, job, started_at, took, outcome, orjson.loads(counts), error)
        held = None if gate is None else {"gate": gate, "summary": orjson.loads(summary), "decision": decision}
        return {"run": run, "due_at": due_at, "held": held}

    def customer(self, account_id: str | None, client_id: int | None) -> dict[str, Any] | None:
        """A customer by Account id or WHMCS client id, with what was decided for it; None: nobody."""
        found = self._statements.one("explain/find_customer_to_explain", account_id=account_id, client_id=client_id)
        if found is None:
            return None
        customer_id = found[0]
        document = self._statements.one("api/read_document", customer_id=customer_id)

        def listed(name: str) -> list[Row]:
            return self._statements.all(f"explain/explain_{name}", customer_id=customer_id, at_most=AT_MOST)

        return {
            "id": customer_id,
            "document": None if document is None else orjson.loads(document[0]),
            "computed_at": None if document is None else document[1],
            "next_change_at": None if document is None else document[2],
            "notifications": listed("notifications"),
            "transitions": listed("transitions"),
            "suppressed": listed("suppressed"),
        }
