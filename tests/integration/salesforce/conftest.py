"""A Salesforce that misbehaves on demand, and the product's runs against it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stamina
from sqlalchemy import Engine

from tests.salesforce_world import World


@pytest.fixture
def world(engine: Engine) -> Iterator[World]:
    """An empty org, an empty database, and retries that follow at once."""
    world = World(engine)
    with stamina.set_testing(True, attempts=3, cap=True):
        yield world
    world.close()
