-- Moves a stream's cursor, never back.
-- :stream       name of the stream
-- :cursor_at    highest SystemModstamp read; null: none
-- :synced_at    instant of the pull
-- :source_time  the source's clock at the start of the pull
-- :fields       fields that were read
-- :run_id       the run
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
    run_id = excluded.run_id
