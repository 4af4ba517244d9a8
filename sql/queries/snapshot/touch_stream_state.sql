-- Notes that rows of the stream :stream came in at :synced_at by the run :run_id, though not provably all: the cursor stays.
update pipeline.stream_state
set synced_at = :synced_at, run_id = :run_id
where stream_state.stream = :stream;
