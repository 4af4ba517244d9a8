-- Moves a stream on: it was pulled, and is complete.
-- :stream       text
-- :cursor_at    timestamptz, the next cursor; it never moves back
-- :synced_at    timestamptz, the run's now
-- :source_time  timestamptz, the source's clock
-- :fields       text[], the source's fields that were read
-- :is_whole     boolean, whether everything of the stream is known as of now
-- :run_id       bigint
insert into pipeline.stream_state (stream, cursor_at, synced_at, source_time, fields, read_at, run_id)
values (
    :stream, cast(:cursor_at as timestamptz), :synced_at, cast(:source_time as timestamptz), cast(:fields as text[]),
    case when cast(:is_whole as boolean) then cast(:synced_at as timestamptz) end,
    :run_id
)
on conflict (stream) do update set
    cursor_at = greatest(stream_state.cursor_at, excluded.cursor_at),
    synced_at = excluded.synced_at,
    source_time = coalesce(excluded.source_time, stream_state.source_time),
    fields = excluded.fields,
    read_at = coalesce(excluded.read_at, stream_state.read_at),
    run_id = excluded.run_id
