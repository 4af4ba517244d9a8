"""The steps between two observations of an account, where Salesforce keeps its field history. Pure.

Comparing snapshots sees ends: an account that became eligible and ineligible between two pulls shows one change, and
one that came back to where it was shows none. AccountHistory has the steps.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from config.fields import Words
from materializer.snapshot.pulls import HistoricChange
from materializer.snapshot.transitions import ACCOUNT_KNOWN, Transition, TransitionPolicy, account_step

Row = dict[str, Any]


def with_steps(
    found: Sequence[Transition],
    ends: Mapping[str, tuple[Row, Row]],
    history: Iterable[HistoricChange],
    policy: TransitionPolicy,
) -> list[Transition]:
    """`found`, with the ends of an account's status replaced by the steps between them where history has them.

    `ends` are the account's known row and its new one, by account id. Steps not after the known row's stamp were
    observed before; those after the new row's will be observed with it later. Where the steps do not lead from one
    end to the other, the ends stand as found.
    """
    if policy.is_baseline:
        return list(found)
    known_paths = {
        (account_id, field): steps
        for (account_id, field), path in _unobserved(history, ends).items()
        if field not in policy.baseline_fields and (steps := _steps(path, *ends[account_id], policy.words)) is not None
    }
    kept = [step for step in found if (step.entity_id, step.field) not in known_paths]
    return kept + [step for path in known_paths.values() for step in path]


def _unobserved(
    history: Iterable[HistoricChange], ends: Mapping[str, tuple[Row, Row]]
) -> dict[tuple[str, str], list[HistoricChange]]:
    paths: dict[tuple[str, str], list[HistoricChange]] = defaultdict(list)
    for step in sorted(history, key=lambda step: step.changed_at):
        before, after = (row["modified_at"] for row in ends.get(step.account_id, (NO_STAMP, NO_STAMP)))
        if before is not None and after is not None and before < step.changed_at <= after:
            paths[step.account_id, step.field].append(step)
    return paths


def _steps(path: Sequence[HistoricChange], before: Row, after: Row, words: Words) -> list[Transition] | None:
    """The transitions along the path; None when it does not lead from the status known before to the present one."""
    field = path[0].field
    known, statuses = ACCOUNT_KNOWN[field], _statuses(field, words)
    start, end = before[known], after[known]
    if start is None or end is None or _meaning(path[0].old_word, statuses) not in (start, None):
        return None
    steps = list(_walk(path, start, statuses))
    return steps if (steps[-1].new_value if steps else start) == end else None


def _walk(path: Sequence[HistoricChange], start: str, statuses: Mapping[str | None, str]) -> Iterator[Transition]:
    status_before = start
    for step in path:
        status = _meaning(step.new_word, statuses)
        if status is not None and status != status_before:
            yield account_step(step.account_id, step.field, status_before, status, step.changed_at)
            status_before = status


def _statuses(field: str, words: Words) -> dict[str | None, str]:
    group, when_null = (
        (words.eligibility, "not_requested") if field == "eligibility_status" else (words.verification, "not_submitted")
    )
    return {None: when_null} | {word: status for status, given in group.model_dump().items() for word in given}


def _meaning(word: str | None, statuses: Mapping[str | None, str]) -> str | None:
    return statuses.get(word.strip() or None if word else None)


NO_STAMP: Row = {"modified_at": None}
