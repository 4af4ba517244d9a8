-- Says that a scheduler lives; the row of its host and process, with the time of its last beat.
-- :scheduler   host and process
-- :started_at  when it started
-- :version     the program's schema
insert into pipeline.scheduler_heartbeat (scheduler, started_at, beat_at, version)
values (:scheduler, :started_at, clock_timestamp(), :version)
on conflict (scheduler) do update
    set started_at = excluded.started_at, beat_at = excluded.beat_at, version = excluded.version
