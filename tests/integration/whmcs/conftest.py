"""A WHMCS that misbehaves on demand, and the product's runs against it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stamina
from sqlalchemy import Engine

from tests.whmcs_world import World


@pytest.fixture
def world(engine: Engine) -> Iterator[World]:
    """An install with a small population, an empty database, and retries that follow at once."""
    world = World(engine)
    with stamina.set_testing(True, attempts=3, cap=True):
        yield world
    world.close()


@pytest.fixture
def synced(world: World) -> World:
    """The same after its baseline, every client claimed by a customer and everybody notified."""
    world.claim_clients()
    report = world.sync()
    assert "succeeded" == report.outcome, report.error
    assert {} == world.lost
    world.refresh()
    world.requests.clear()
    return world
