"""The snapshot in the database: reading and writing rows of a stream, and the bookkeeping that goes with them.

Statements whose text depends on a stream's columns (COPY and the temporary table behind an update) are built here from
`Stream.columns`; every other one is a file under sql/queries. Functions take the connection of a running transaction.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
from psycopg import sql as compose
from sqlalchemy import Connection

import sql
from materializer.copying import copy_in, driver_of
from materializer.snapshot import content_hash
from materializer.snapshot.content_hash import HASH
from materializer.snapshot.pulls import Key, StreamState
from materializer.snapshot.streams import Kind, Stream
from materializer.snapshot.transitions import Transition
from materializer.units import At

ROWS_KEPT_APART = arrow_csv.ParseOptions(newlines_in_values=True)
OBSERVED = frozenset({"account", "order", "case", "invoice", "service"})
"""The streams whose records are entities of transitions."""
INCOMING = compose.Identifier("pg_temp", "incoming")


@dataclass(frozen=True)
class Scope:
    """Which rows of a stream: keys above `above` up to `up_to` (None: no bound), of the owners `owners` where given.

    With `keys` the rows of these keys belong to it as well; with `only_keys` no others do.
    """

    above: Key | None = None
    up_to: Key | None = None
    owners: Sequence[Key] | None = None
    keys: Sequence[Key] | None = None
    only_keys: bool = False


# Rows of a stream -----------------------------------------------------------------------------------------------------


def read_rows(connection: Connection, stream: Stream, scope: Scope) -> pa.Table:
    """The known rows in the scope, in key order, as a table of the stream's schema."""
    if scope.only_keys and not scope.keys:
        return stream.schema.empty_table()
    query = compose.SQL("copy (select {} from {} where {} order by {}) to stdout (format csv)").format(
        _columns(stream), _table(stream), _condition(stream, scope), compose.Identifier(stream.key)
    )
    received = io.BytesIO()
    with driver_of(connection).cursor().copy(query) as rows:
        for block in rows:
            received.write(block)
    if not received.tell():
        return stream.schema.empty_table()
    received.seek(0)
    return arrow_csv.read_csv(
        received,
        read_options=arrow_csv.ReadOptions(column_names=stream.schema.names),
        parse_options=ROWS_KEPT_APART,
        convert_options=arrow_csv.ConvertOptions(
            column_types=stream.schema,
            null_values=[""],
            true_values=["t"],
            false_values=["f"],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def read_hashes(connection: Connection, stream: Stream, scope: Scope) -> pa.Table:
    """Key and content_hash of the known rows in the scope, in key order; 0 where there is no hash.

    They come as one row: the driver spends as long on each row of an answer as on the hashes of ten.
    """
    key = compose.Identifier(stream.key)
    keys = compose.SQL("int8send({}), ''" if stream.has_integer_key else "{}, E'\\n'").format(key)
    query = compose.SQL(
        "select string_agg({keys}), string_agg(int8send(coalesce({hash}, 0)), '')"
        " from (select {key}, {hash} from {table} where {condition} order by {key}) as known"
    ).format(
        keys=keys,
        key=key,
        hash=compose.Identifier(HASH),
        table=_table(stream),
        condition=_condition(stream, scope),
    )
    row = driver_of(connection).cursor(binary=True).execute(query).fetchone()
    schema = pa.schema([stream.schema.field(stream.key), (HASH, pa.int64())])
    if row is None or row[0] is None:
        return schema.empty_table()
    found = _unpacked(row[0]) if stream.has_integer_key else row[0].split("\n")
    return pa.table([found, _unpacked(row[1])], schema=schema)


def _unpacked(packed: bytes) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.frombuffer(packed, ">i8").astype(np.int64)


def insert_rows(connection: Connection, stream: Stream, rows: pa.Table) -> None:
    """Adds rows whose keys the snapshot does not have. Raises an integrity error when it has one."""
    if len(rows):
        _copy_in(connection, stream, _table(stream), rows)


def update_rows(connection: Connection, stream: Stream, rows: pa.Table) -> None:
    """Replaces the rows of these keys."""
    if not len(rows):
        return
    cursor = driver_of(connection).cursor()
    cursor.execute(compose.SQL("drop table if exists {}").format(INCOMING))
    cursor.execute(
        compose.SQL("create temporary table incoming on commit drop as select {} from {} with no data").format(
            _written_columns(stream), _table(stream)
        )
    )
    _copy_in(connection, stream, INCOMING, rows)
    cursor.execute(
        compose.SQL("insert into {} ({columns}) select {columns} from {} on conflict ({}) do update set {}").format(
            _table(stream),
            INCOMING,
            compose.Identifier(stream.key),
            _assignments(stream),
            columns=_written_columns(stream),
        )
    )
    cursor.execute(compose.SQL("drop table {}").format(INCOMING))


def delete_rows(connection: Connection, stream: Stream, keys: Collection[Key]) -> None:
    """Removes the rows of these keys; missing keys are ignored."""
    scope = Scope(keys=list(keys), only_keys=True)
    statement = compose.SQL("delete from {} where {}").format(_table(stream), _condition(stream, scope))
    driver_of(connection).execute(statement)


def count_rows(connection: Connection) -> dict[str, int]:
    """How many rows the snapshot has, by stream."""
    return {row.stream: row.records for row in connection.execute(sql.statement("snapshot/count_snapshot"))}


def count_rows_of(connection: Connection, stream: Stream, owners: Sequence[Key]) -> int:
    """How many rows of the stream belong to the owners."""
    query = compose.SQL("select count(*) from {} where {}").format(
        _table(stream), _condition(stream, Scope(owners=owners))
    )
    row = driver_of(connection).execute(query).fetchone()
    return 0 if row is None else int(row[0])


def analyze(connection: Connection, stream: Stream) -> None:
    """Has the server look at the stream's rows again, so that it does not plan as if the table were empty."""
    driver_of(connection).execute(compose.SQL("analyze {}").format(_table(stream)))


def _copy_in(connection: Connection, stream: Stream, table: compose.Composable, rows: pa.Table) -> None:
    columns = [_as_text(rows[name]) for name in stream.columns] + [content_hash.of_rows(stream, rows)]
    copy_in(connection, table, pa.table(columns, names=[*stream.columns, HASH]))


def _as_text(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Instants as text in UTC, which Arrow writes twenty times as fast as it writes instants with a zone."""
    if not pa.types.is_timestamp(values.type):
        return values
    return pc.binary_join_element_wise(values.cast(pa.timestamp("us")).cast(pa.string()), "Z", "")


def _condition(stream: Stream, scope: Scope) -> compose.Composable:
    key = compose.Identifier(stream.key)
    named = compose.SQL("{} = any(cast({} as {}))").format(
        key, list(scope.keys or ()), _array_of(stream.columns[stream.key])
    )
    if scope.only_keys:
        return named
    parts: list[compose.Composable] = [compose.SQL("true")]
    if scope.above is not None:
        parts.append(compose.SQL("{} > {}").format(key, scope.above))
    if scope.up_to is not None:
        parts.append(compose.SQL("{} <= {}").format(key, scope.up_to))
    if scope.owners is not None:
        owner, kind = compose.Identifier(stream.owner), _array_of(stream.columns[stream.owner])
        parts.append(compose.SQL("{} = any(cast({} as {}))").format(owner, list(scope.owners), kind))
    within = compose.SQL(" and ").join(parts)
    return within if scope.keys is None else compose.SQL("(({}) or {})").format(within, named)


def _array_of(kind: Kind) -> compose.SQL:
    return compose.SQL("bigint[]") if kind in ("key_integer", "integer") else compose.SQL("text[]")


def _assignments(stream: Stream) -> compose.Composable:
    names = [compose.Identifier(name) for name in (*stream.columns, HASH) if name != stream.key]
    return compose.SQL(", ").join(compose.SQL("{0} = excluded.{0}").format(name) for name in names)


def _columns(stream: Stream) -> compose.Composable:
    return compose.SQL(", ").join(compose.Identifier(name) for name in stream.columns)


def _written_columns(stream: Stream) -> compose.Composable:
    return compose.SQL("{}, {}").format(_columns(stream), compose.Identifier(HASH))


def _table(stream: Stream) -> compose.Identifier:
    return compose.Identifier("snapshot", stream.name)


# Transitions ----------------------------------------------------------------------------------------------------------


def insert_transitions(connection: Connection, transitions: Sequence[Transition], at: At) -> None:
    """Stores transitions, each with the customer its owner leads to now; without one it is nobody's news."""
    if not transitions:
        return
    arrays = {
        "entities": [step.entity for step in transitions],
        "entity_ids": [step.entity_id for step in transitions],
        "owners": [step.owner for step in transitions],
        "fields": [step.field for step in transitions],
        "old_values": [step.old_value for step in transitions],
        "new_values": [step.new_value for step in transitions],
        "changed_ats": [step.source_changed_at for step in transitions],
        "types": [step.notification_type for step in transitions],
    }
    connection.execute(sql.statement("snapshot/insert_transitions"), arrays | {"run_id": at.run_id, "now": at.now})


def insert_first_observations(connection: Connection, stream: Stream, added: pa.Table, at: At) -> None:
    """Notes when new records of a stream with statuses were first seen: where their time in the first one begins."""
    if stream.name in OBSERVED and len(added):
        ids = [str(key) for key in added[stream.key].to_pylist()]
        parameters = {"entity": stream.name, "entity_ids": ids, "now": at.now, "run_id": at.run_id}
        connection.execute(sql.statement("snapshot/insert_first_observations"), parameters)


# Stream states --------------------------------------------------------------------------------------------------------


def stream_states(connection: Connection) -> dict[str, StreamState]:
    """The state of each stream that has had its baseline, by name."""
    return {
        state.stream: StreamState(
            stream=state.stream,
            cursor_at=state.cursor_at,
            synced_at=state.synced_at,
            full_at=state.full_at,
            source_time=state.source_time,
            fields=tuple(state.fields),
        )
        for state in connection.execute(sql.statement("snapshot/read_stream_states"))
    }
