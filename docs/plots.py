"""Four plots of the published views: `DATABASE_URL=... python docs/plots.py FOLDER` (needs psycopg and matplotlib).

Each figure is one question, one statement and a few lines of drawing: a beginning for a notebook of your own.
"""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

Rows = list[tuple[Any, ...]]

CUSTOMERS = """
    select day, top_task_type, count(*)
    from analytics.customer_day
    group by day, top_task_type
    order by top_task_type, day
"""
RECEIVABLES = """
    select age_bucket, currency, coalesce(amount, 0)
    from analytics.receivable_by_age
    order by age_bucket = 'not overdue' desc, age_bucket, currency
"""
NOTIFICATIONS = """
    select type, sent, read, resolved_unread
    from analytics.notification_funnel
    order by sent
"""
FRESHNESS = """
    select day, source, 100 * share_fresh
    from analytics.source_freshness
    order by source, day
"""


def customers(axes: Any, rows: Rows) -> None:
    """What customers have to do first, at the end of each business day."""
    days = sorted({day for day, _, _ in rows})
    counts: dict[str, dict[Any, int]] = defaultdict(dict)
    for day, task, count in rows:
        counts[task][day] = count
    if counts:
        axes.stackplot(days, *([of.get(day, 0) for day in days] for of in counts.values()), labels=list(counts))
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize="small")
    axes.set(title="Customers by their first task", ylabel="customers")
    axes.tick_params(axis="x", rotation=45)


def receivables(axes: Any, rows: Rows) -> None:
    """What is owed and how old it is; sums of different currencies stay apart."""
    names = [f"{bucket}\n{currency}" for bucket, currency, _ in rows]
    axes.bar(names, [float(amount) for _, _, amount in rows], color="#2a7f4f")
    axes.set(title="Receivables by age and currency", ylabel="amount")
    axes.tick_params(axis="x", labelsize="small")


def notifications(axes: Any, rows: Rows) -> None:
    """What became of what was sent: read, over before it was read, or still unread."""
    types = [kind for kind, _, _, _ in rows]
    axes.barh(types, [sent for _, sent, _, _ in rows], color="#d9d9d9", label="sent")
    axes.barh(types, [read + over for _, _, read, over in rows], color="#8fb8de", label="over before it was read")
    axes.barh(types, [read for _, _, read, _ in rows], color="#2b6cb0", label="read")
    axes.legend(loc="lower right", fontsize="small")
    axes.set(title="Notifications")


def freshness(axes: Any, rows: Rows) -> None:
    """For what share of each business day each source was within its limit."""
    for source in sorted({source for _, source, _ in rows}):
        of_source = [(day, float(share)) for day, name, share in rows if name == source and share is not None]
        axes.plot(*zip(*of_source, strict=True), marker="o", label=source)
    axes.set(title="Share of the day within the freshness limit", ylabel="%", ylim=(0, 105))
    axes.legend(loc="lower right", fontsize="small")
    axes.tick_params(axis="x", rotation=45)


PLOTS: dict[str, tuple[str, Callable[[Any, Rows], None]]] = {
    "customers": (CUSTOMERS, customers),
    "receivables": (RECEIVABLES, receivables),
    "notifications": (NOTIFICATIONS, notifications),
    "freshness": (FRESHNESS, freshness),
}


def main(folder: Path) -> None:
    """Writes one SVG file per plot."""
    import matplotlib  # here, as the statements above are of use without it

    matplotlib.use("svg")
    matplotlib.rcParams |= {"svg.hashsalt": "me-status", "svg.fonttype": "none", "font.family": "sans-serif"}
    from matplotlib import pyplot

    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        for name, (question, draw) in PLOTS.items():
            figure, axes = pyplot.subplots(figsize=(8, 4), layout="constrained")
            draw(axes, connection.execute(question).fetchall())
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
            pyplot.close(figure)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
