-- Moves the stream :stream to :cursor_at (never back), :synced_at, :source_time and :fields, by the run :run_id.
insert into pipeline.stream_state (stream, cursor_at, synced_at, source_time, fields, run_id)
values (
    :stream, cast(:cursor_at as timestamptz), :synced_at, cast(:source_time as timestamptz), cast(:fields as text[]),
    :run_id
)
on conflict (stream) do update set
    cursor_at = greatest(stream_state.cursor_at, excluded.cursor_at),
    synced_at = excluded.synced_at,
    source_time = coalesce(excluded.source_time, stream_state.source_time),
    fields = excluded.fields,
    run_id = excluded.run_id;
