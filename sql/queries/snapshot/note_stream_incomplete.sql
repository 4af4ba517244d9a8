-- Notes that the last pull of a stream failed, or was not provably complete.
-- :stream  the stream
-- :reason  what did not agree, or what the source answered
-- :now     the run's now
-- :run_id  the run
insert into pipeline.incomplete_stream (stream, reason, first_seen_at, last_seen_at, run_id)
values (:stream, :reason, :now, :now, :run_id)
on conflict (stream) do update set
    reason = excluded.reason,
    last_seen_at = excluded.last_seen_at,
    run_id = excluded.run_id
