-- Notes that streams had a complete full pull whose removals are applied.
-- :full_at  instant of the pull
-- :streams  names of streams
update pipeline.stream_state
set full_at = :full_at
where stream_state.stream = any(cast(:streams as text[]))
