"""The readings: every client read within its period, no more than needed at once."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from jobs.sources.whmcs.round_robin import due_clients, is_turn

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DAY = timedelta(hours=24)


def test_every_client_is_read_within_the_period() -> None:
    """Runs at any distance reach each client at least once in 24 hours."""
    read_at = dict.fromkeys(range(1000), NOW)
    now, since = NOW, NOW
    for _ in range(300):
        now, since = now + timedelta(minutes=20), now
        readings = sorted(read_at.items(), key=lambda entry: entry[1])
        for client in due_clients(readings, 1000, since, now, DAY):
            read_at[client] = now
        assert min(read_at.values()) > now - DAY


def test_clients_never_read_come_first_and_all_at_once() -> None:
    """A client without a count is not left waiting."""
    readings = [(client, None) for client in range(100)] + [(client, NOW) for client in range(100, 300)]
    assert list(range(125)) == due_clients(readings, 300, NOW - timedelta(minutes=1), NOW, DAY)


def test_a_reading_without_a_past_takes_everybody() -> None:
    """The baseline and a full pull read all clients."""
    assert [1, 2] == due_clients([(1, NOW), (2, None)], 2, None, NOW, DAY)


def test_a_client_has_one_turn_in_each_period() -> None:
    """The stateless readings of client details: turns neither vanish nor double, wherever runs fall."""
    for client in range(200):
        moments = [NOW + timedelta(minutes=20 * step) for step in range(73)]
        assert 1 == sum(is_turn(client, a, b, DAY) for a, b in itertools.pairwise(moments))
