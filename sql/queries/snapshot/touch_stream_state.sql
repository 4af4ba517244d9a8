-- Notes that rows of a stream came in, though not provably all: the cursor stays.
-- :synced_at  instant of the pull
-- :run_id     the run
-- :stream     name of the stream
update pipeline.stream_state
set synced_at = :synced_at, run_id = :run_id
where stream_state.stream = :stream
