"""What a change of rules would lead to: which documents differ, and which notifications the next refresh would send."""

from __future__ import annotations

from dataclasses import dataclass

from config.database import RehearsalDatabase
from config.schedule import Freshness
from materializer.refresh import read_model, rebuild, refresh
from materializer.refresh.rebuild import Rebuilt
from materializer.refresh.refresh import Refreshed
from materializer.rules.rules import Rules
from materializer.units import At, Batching


@dataclass(frozen=True)
class Plan:
    """A rebuild, and the refresh after it, as they would go at the same instant; `held`: what the flood gate says."""

    documents: Rebuilt
    refreshed: Refreshed


def plan(rehearsal: RehearsalDatabase, rules: Rules, at: At, freshness: Freshness, batching: Batching) -> Plan:
    """Both, in a rehearsal that keeps nothing. `at` is of a run of that rehearsal.

    Whom the new rules call for a reminder is marked, as a rebuild would note it in the row, so that the very refresh
    that would come next decides, counts at the gate, and sends.
    """
    documents = rebuild.forecast(rehearsal, rules, at.now, batch_customers=batching.size)
    rehearsal.transact(lambda connection: read_model.mark(connection, documents.reminding, at.now))
    return Plan(documents, refresh.refresh(rehearsal, rules, at, freshness, batching))
