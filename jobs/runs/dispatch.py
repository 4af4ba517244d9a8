"""What each job does once its run has started: the one place that knows which function does which job."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from config.settings import Settings
from config.tables import Tables
from jobs.progress import Progress, silent
from jobs.runs import executor, prune, sync
from jobs.runs.ledger import Run
from materializer.refresh import refresh
from materializer.rules.rules import Rules

JOBS = ("sync-salesforce", "sync-whmcs", "refresh", "prune")
OF_ALL = ("sync-salesforce", "sync-whmcs", "refresh")


@dataclass(frozen=True)
class RunOptions:
    """How a job is to be done: read everything, let removals pass the shrink gate, where to show progress."""

    full: bool = False
    accept_shrink: bool = False
    progress: Progress = silent()  # noqa: RUF009, it holds no state


def dispatch(run: Run, settings: Settings, tables: Tables, options: RunOptions) -> None:
    """Does the job of the run, filling its counts. Raises SourceError and other MeStatusErrors."""
    if run.job in ("sync-salesforce", "sync-whmcs"):
        _sync(run, settings, tables, options)
    elif run.job == "refresh":
        _refresh(run, settings, tables, options)
    else:
        retention, flood_days = tables.schedule.retention_days, tables.notifications.flood_gate.days
        run.counts.update(prune.prune(run.database, retention, now=run.now, flood_days=flood_days))


def rules(settings: Settings, tables: Tables) -> Rules:
    """The rules as these settings and data files give them."""
    return Rules(tables.notifications, tables.tasks, settings.zone)


def require(settings: Settings, *jobs: str) -> None:
    """Raises SettingsError naming everything that the jobs need and that is not set."""
    needed = [source for source in ("salesforce", "whmcs") if f"sync-{source}" in jobs]
    settings.require(*needed)  # type: ignore[arg-type]


def _sync(run: Run, settings: Settings, tables: Tables, options: RunOptions) -> None:
    work = sync.sync_salesforce if run.job == "sync-salesforce" else sync.sync_whmcs
    with executor.submitting(settings, run.database) as submit:
        work(
            run.database,
            settings,
            tables,
            run=run,
            now=run.now,
            full=options.full,
            accept_shrink=options.accept_shrink,
            progress=options.progress,
            submit=submit,
        )


def _refresh(run: Run, settings: Settings, tables: Tables, options: RunOptions) -> None:
    task = options.progress.start("Refresh customers")
    with executor.submitting(settings, run.database) as submit:
        done = refresh.refresh(
            run.database,
            rules(settings, tables),
            run_id=run.run_id,
            now=run.now,
            freshness=timedelta(minutes=tables.schedule.freshness_minutes.whmcs),
            batch_customers=tables.schedule.limits.batch_customers,
            submit=submit,
            watch=task,
        )
    task.finish()
    run.counts.update(
        customers=done.customers,
        changed=done.changed,
        removed=done.removed,
        resolved=done.resolved,
        sent=done.sent,
        suppressed=done.suppressed,
    )
    if done.held is not None:
        run.hold("flood", None, done.held)
