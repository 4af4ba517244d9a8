"""What each job does once its run has started: the one place that knows which function does which job.

A job's own modules are imported when it is done: who only asks how things are does not wait for them.
"""

from __future__ import annotations

from contextlib import closing, nullcontext
from typing import TYPE_CHECKING

from config.settings import Settings
from config.tables import Tables
from jobs import published
from jobs.runs.ledger import Run
from materializer.rules.rules import Rules
from materializer.units import Batching

if TYPE_CHECKING:
    from jobs.runs.connections import Connections


def dispatch(run: Run, settings: Settings, tables: Tables, connections: Connections | None = None) -> None:
    """Does the job of the run, filling its counts. Raises SourceError and other MeStatusErrors.

    `connections`: the sources as `sync-hinted` uses them; None: new ones.
    """
    published.note_settings(run.database, rules(settings, tables), tables.schedule)
    if run.job in ("sync-salesforce", "sync-whmcs"):
        _sync(run, settings, tables)
    elif run.job == "sync-hinted":
        _sync_hinted(run, settings, tables, connections)
    elif run.job == "refresh":
        _refresh(run, settings, tables)
    else:
        from jobs.runs import prune

        retention, flood_days = tables.schedule.retention_days, tables.notifications.flood_gate.days
        run.counts.update(prune.prune(run.database, retention, now=run.now, flood_days=flood_days))


def rules(settings: Settings, tables: Tables) -> Rules:
    """The rules as these settings and data files give them."""
    return Rules(
        tables.notifications,
        tables.tasks,
        settings.zone,
        tables.wording,
        tables.guests,
        is_link_at_client=tables.mapping.link.held_by == "client",
    )


def require(settings: Settings, *jobs: str) -> None:
    """Raises SettingsError naming everything that the jobs need and that is not set."""
    needed = [source for source in ("salesforce", "whmcs") if {f"sync-{source}", "sync-hinted"} & set(jobs)]
    settings.require(*needed)  # type: ignore[arg-type]


def _sync(run: Run, settings: Settings, tables: Tables) -> None:
    from jobs.runs import executor, sync

    sync_source = sync.sync_salesforce if run.job == "sync-salesforce" else sync.sync_whmcs
    with executor.submitting(settings, run.database) as submit:
        sync_source(run, settings, tables, submit)


def _sync_hinted(run: Run, settings: Settings, tables: Tables, connections: Connections | None) -> None:
    from jobs.runs import hinted
    from jobs.runs.connections import Connections

    with nullcontext(connections) if connections else closing(Connections(settings, tables)) as sources:
        hinted.sync_hinted(run, tables, rules(settings, tables), sources)


def _refresh(run: Run, settings: Settings, tables: Tables) -> None:
    from jobs.runs import executor
    from materializer.refresh import rebuild, refresh, shadow

    bar = run.options.progress.start("Refresh customers")
    freshness, limits = tables.schedule.freshness_minutes, tables.schedule.limits
    in_force = rules(settings, tables)
    with executor.submitting(settings, run.database) as submit:
        batching = Batching(limits.batch_customers, submit, bar)
        done = refresh.refresh(run.database, in_force, run.at, freshness, batching)
        anew = rebuild.recompute(run.database, in_force, run.at, batching, at_most=limits.other_rules_customers)
    bar.finish()
    checked = shadow.check(run.database, in_force, run.at, tables.schedule.shadow_check)
    run.counts.update(
        customers=done.customers,
        changed=done.changed,
        failed=done.failed + anew.failed,
        removed=done.removed + anew.removed,
        recomputed=anew.customers,
        resolved=done.resolved,
        sent=done.sent,
        suppressed=done.suppressed,
        shadow_checked=checked.checked,
        shadow_differing=checked.differing,
    )
    if done.held is not None:
        run.hold("flood", None, done.held)
