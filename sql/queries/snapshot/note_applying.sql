-- Notes that a pull of a stream begins to change the snapshot; no row before the stream's baseline.
-- :began_at  timestamptz, the database's clock before the first call of the pull
-- :stream    text
update pipeline.stream_state
set applying_since = greatest(stream_state.applying_since, cast(:began_at as timestamptz))
where stream_state.stream = :stream
