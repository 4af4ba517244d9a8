"""What happens to the made-up customers over some days."""

from jobs.sandbox.scenario.script import MOST_DAYS, Event, events, run_instants

__all__ = ["MOST_DAYS", "Event", "events", "run_instants"]
