"""The invariant, by machine: histories of thousands of steps in which product and reference model must agree.

`ME_STATUS_TRUTH_STEPS` asks for another number of steps than 2,000, `ME_STATUS_TRUTH_SEED` for other histories.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from math import ceil

import pytest
import structlog
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import Engine, create_engine

from tests.integration.truth.machine import Tally, Truth

STEPS = int(os.environ.get("ME_STATUS_TRUTH_STEPS", "2000"))
SHARES = 4
STEPS_OF_A_HISTORY = 100
ROUNDS = 10
"""Some histories end before their last step: what is missing then is played in rounds of other seeds, up to so many."""
FIRST_SEED = int(os.environ.get("ME_STATUS_TRUTH_SEED", "2028"))


@pytest.fixture(autouse=True)
def _silence() -> Iterator[None]:
    """Tens of thousands of runs are not worth a line each."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.fixture
def quick(database_url: str) -> Iterator[Engine]:
    """An engine for very many very small transactions: nothing is asked before them or waited for after them."""
    options = "-c timezone=UTC -c synchronous_commit=off -c jit=off"
    url = database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(url, connect_args={"options": options})
    yield engine
    engine.dispose()


@pytest.mark.parametrize("share", range(SHARES))
def test_product_and_reference_model_agree(
    quick: Engine, share: int, record_property: Callable[[str, object], None]
) -> None:
    """Whatever happens in whatever order, documents, their next change and the notifications are the model's."""
    tally = Tally()
    for number in range(ROUNDS):
        missing = STEPS / SHARES - tally.steps
        if missing > 0:
            _play(quick, tally, FIRST_SEED + share + SHARES * number, ceil(missing / STEPS_OF_A_HISTORY))
    done = ", ".join(f"{count:,} {what}" for what, count in tally.done.most_common())
    figure = f"truth, share {share}: {tally.steps:,} steps: {done}"
    record_property("figure", figure)
    assert STEPS / SHARES <= tally.steps


def _play(engine: Engine, tally: Tally, first_seed: int, histories: int) -> None:
    @seed(first_seed)
    def machine() -> Truth:
        return Truth(engine, tally)

    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine,
        settings=settings(
            max_examples=histories,
            phases=[Phase.generate],
            stateful_step_count=STEPS_OF_A_HISTORY,
            deadline=None,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
