-- Notes that the streams :streams had a complete full pull at :full_at whose removals are applied.
update pipeline.stream_state
set full_at = :full_at
where stream_state.stream = any(cast(:streams as text[]));
