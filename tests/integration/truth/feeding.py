"""From deliveries to what the sync jobs apply: the sources' own reading of records, without HTTP."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from config.fields import FieldMapping
from jobs.sources.columns import transposed
from jobs.sources.errors import TransientError
from jobs.sources.salesforce.rows import SalesforceStream, salesforce_streams
from jobs.sources.whmcs.rows import WhmcsStream, whmcs_streams
from materializer.snapshot.pulls import Key, Pulled
from materializer.snapshot.streams import STREAMS, Stream
from tests.integration.truth.deliveries import SALESFORCE, Delivery


@dataclass
class RowsInMemory:
    """A spool without a disk."""

    stream: Stream
    table: pa.Table

    @property
    def rows(self) -> int:
        return len(self.table)

    def windows(self, size: int) -> Iterator[pa.Table]:
        ordered = self.table.sort_by(self.stream.key)
        for start in range(0, len(ordered), size):
            yield ordered.slice(start, size)

    def close(self) -> None: ...


class Feed:
    """Reads deliveries as the sources do."""

    def __init__(self, mapping: FieldMapping, server_zone: ZoneInfo) -> None:
        self.salesforce: dict[str, SalesforceStream] = salesforce_streams(mapping)
        self.whmcs: dict[str, WhmcsStream] = whmcs_streams_of(server_zone)

    def pulled(self, delivery: Delivery) -> Pulled:
        """The same pull as the sync jobs get it."""
        stream = STREAMS[delivery.stream]
        if delivery.stream in SALESFORCE:
            wanted_stream = self.salesforce[delivery.stream]
            read = wanted_stream.rows(delivery.records, 0)
            fields: tuple[str, ...] = wanted_stream.mapped
        else:
            wanted_stream = self.whmcs[delivery.stream]
            keys = wanted_stream.action.keys
            read = wanted_stream.rows(transposed(delivery.records, keys), lambda at: f"row {at}")
            fields = tuple(column.key for column in wanted_stream.columns)
        table = read.rows
        if delivery.stream == "client":
            references = {row["id"]: row["reference"] for row in delivery.records}
            column = pa.array([references[key] for key in table["client_id"].to_pylist()], pa.string())
            table = table.set_column(table.schema.get_field_index("account_reference"), "account_reference", column)
        merged = dict(delivery.merged)
        extent: Any = delivery.extent
        return Pulled(
            stream=stream,
            spool=RowsInMemory(stream, table.cast(stream.schema)),
            extent=extent,
            is_complete=delivery.is_complete,
            why_incomplete=None if delivery.is_complete else "3 records announced, 2 received",
            owners=delivery.clients,
            deleted=delivery.deleted,
            merged=merged,
            set_aside=tuple(read.set_aside),
            unreadable=tuple(read.unreadable),
            fields=fields,
            cursor_at=delivery.cursor_at,
            source_time=delivery.source_time,
            confirm_gone=confirmer(delivery, merged),
        )


@lru_cache
def whmcs_streams_of(server_zone: ZoneInfo) -> dict[str, WhmcsStream]:
    return whmcs_streams(server_zone)


def confirmer(delivery: Delivery, merged: dict[str, str]) -> Callable[[Collection[Key]], set[Key]]:
    """Looks keys up in the source as it was at the pull; losers of merges found so are reported."""

    def confirm_gone(keys: Collection[Key]) -> set[Key]:
        if not delivery.can_confirm:
            raise TransientError("the source does not answer the look-up")
        gone = {key for key in keys if key not in delivery.alive}
        merged.update({str(key): delivery.masters[str(key)] for key in gone if str(key) in delivery.masters})
        return gone

    return confirm_gone
