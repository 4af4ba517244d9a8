"""What `doctor` says of records and customers: of each kind of problem how many, the first by name, and the remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping

import sql
from jobs.text import counted

Row = RowMapping
AT_MOST = 1000
"""So many of a kind are counted."""


@dataclass(frozen=True)
class Kind:
    """One kind of problem: the statement that lists it, how one and many are called, one's name, and what to do."""

    statement: str
    one: str
    many: str
    name: Callable[[Row], str]
    remedy: str


@dataclass(frozen=True)
class Problem:
    """One kind that there is: what was found, and the remedy."""

    finding: str
    remedy: str


KINDS = (
    Kind(
        "snapshot/list_unreadable_links",
        "link that is not a client id",
        "links that are not client ids",
        lambda row: f"of account {row['customer_id']}: {row['text']!r}",
        "correct the link field: the digits of the client id and nothing else",
    ),
    Kind(
        "snapshot/list_set_aside_records",
        "record that cannot be read",
        "records that cannot be read",
        lambda row: f"{row['stream']} {row['record_id']}, {row['field']}: {row['reason']}",
        "correct it in the source; the next pull takes it in",
    ),
    Kind(
        "snapshot/list_unknown_words",
        "word that no mapping knows",
        "words that no mapping knows",
        lambda row: f"{row['word']!r} in {row['field']} of {row['stream']} {row['samples'][0]}",
        "map it under [words] in ME_STATUS_FIELDS, or correct the record",
    ),
    Kind(
        "refresh/list_failed_customers",
        "customer whose document cannot be built",
        "customers whose document cannot be built",
        lambda row: f"{row['customer_id']}: {row['reason']}",
        "see `me-status explain` of it; it keeps its last document and is tried again by itself",
    ),
    Kind(
        "snapshot/list_incomplete_streams",
        "stream whose last pull proves nothing",
        "streams whose last pull proves nothing",
        lambda row: f"{row['stream']}: {row['reason']}",
        "nothing of it is removed meanwhile; `me-status run` with --full, and see the source where it stays",
    ),
)


def problems(connection: Connection) -> Iterator[Problem]:
    """Each kind of which there is one, in the order in which they matter."""
    for kind in KINDS:
        rows = connection.execute(sql.statement(kind.statement), {"at_most": AT_MOST}).mappings().all()
        if rows:
            more = " or more" if len(rows) == AT_MOST else ""
            found = f"{counted(len(rows), kind.one, kind.many)}{more}, such as {kind.name(rows[0])}"
            yield Problem(found, kind.remedy)
