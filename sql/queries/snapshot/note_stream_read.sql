-- Notes that all of a stream is known as of its reading: what that found gone is removed, or waits for a decision.
-- :read_at  instant of the pull
-- :stream   name of the stream
update pipeline.stream_state
set read_at = cast(:read_at as timestamptz)
where stream_state.stream = :stream
