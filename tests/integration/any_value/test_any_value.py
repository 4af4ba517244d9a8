"""Any JSON value in any field of any record of any stream: the others go on, and nothing unknown is served as none.

Each play spoils hundreds of records at once, one value each, and judges them customer by customer: at their first
reading, and after all was well. `ME_STATUS_VALUES` asks for that many values, `ME_STATUS_SEED` for other ones.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from random import Random
from typing import Any

import pytest
import structlog
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from config.database import connect
from config.settings import Settings
from readapi.app import create_app
from readapi.connections import Connections
from tests.integration.any_value.play import Play
from tests.integration.any_value.world import Product, World
from tests.integration.api.conftest import KEY, token_for

VALUES = int(os.environ.get("ME_STATUS_VALUES", "1"))
SEED = int(os.environ.get("ME_STATUS_SEED", "10"))
PEOPLE = 20 if VALUES < 1000 else 300
MOST_FAULTS = 200
ZONES = ("UTC", "Asia/Tokyo", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu")
SCHEMA = Draft202012Validator(json.loads(Path("readapi/me-status.schema.json").read_text(encoding="utf-8")))


@pytest.fixture(autouse=True)
def _silence() -> Iterator[None]:
    """What is wrong with thousands of records is not worth a line each."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.fixture
def world() -> Iterator[World]:
    world = World(PEOPLE)
    yield world
    world.close()


def reader(client: FlaskClient) -> Callable[[str], Mapping[str, Any] | None]:
    """Reads a customer's document by the API, None for one that is not a customer; it fits the schema."""

    def read(account: str) -> Mapping[str, Any] | None:
        answer = client.get("/api/me/status", headers={"Authorization": f"Bearer {token_for(account)}"})
        assert answer.status_code in (200, 404), answer.text
        document = None if answer.status_code == 404 else answer.get_json()
        assert document is None or [] == [error.message for error in SCHEMA.iter_errors(document)]
        return document

    return read


def played(world: World, url: str, seed: int) -> tuple[int, list[str]]:
    """How many values one play put into records, and what was wrong."""
    random = Random(seed)
    settings = Settings(_env_file=None, database_url=url, me_status_jwt_key=KEY)  # type: ignore[call-arg]
    engine, connections = connect(settings), Connections(url)
    try:
        product = Product(engine, world, (random.choice(ZONES), random.choice(ZONES)))
        play = Play(world, product, reader(create_app(settings, connections).test_client()), seed)
        faults = [f"seed {seed}: {fault}" for fault in play.faults()]
        return play.values, faults
    finally:
        connections.close()
        engine.dispose()


def test_any_value_anywhere_stops_nobody_and_makes_nothing_none(
    world: World,
    new_database: Callable[[], AbstractContextManager[str]],
    record_property: Callable[[str, object], None],
) -> None:
    """The others are served as without it, the operator is told, and what cannot be read is unknown."""
    done, seed, wrong = 0, SEED, list[str]()
    while done < VALUES and len(wrong) < MOST_FAULTS:
        with new_database() as url:
            values, faults = played(world, url, seed)
        done, seed, wrong = done + values, seed + 1, wrong + faults
    record_property("figure", f"any value: {done:,} values in records, {seed - SEED} plays, {len(wrong)} faults")
    assert not wrong, "\n".join(wrong)
