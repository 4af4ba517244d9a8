"""What readers are answered while everything runs and is killed is right; `python -m tests.histories` plays longer."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.histories.__main__ import in_words
from tests.histories.play import play
from tests.histories.running import Length

SEED = 16
SHORT = Length(
    answers=sys.maxsize,
    seconds=10,
    readers=16,
    customers=6,
    pause=0.3,
    disturb_seconds=3.0,
    kill_share=0.3,
    failover_share=0,
)
"""Failovers are left to the long play: commits that wait for a standby show a known limit now and then (proof.md)."""


@pytest.mark.skipif(sys.platform == "win32", reason="processes are killed by signals")
def test_answers_are_of_states_the_sources_had_and_never_go_back(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """No answer is of a state that never was, older than it says, or older than one before it, through kills."""
    history = play(tmp_path, SEED, SHORT)
    report = in_words(history)
    record_property("figure", report)
    assert [] == history.violations, report
    assert history.verdict.answers > history.verdict.claims > SHORT.customers, report
    assert history.tally.killed["serve"] + history.tally.killed["database"] > 0, report
