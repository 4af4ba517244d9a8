-- Takes a scheduler's heartbeat away, and those of schedulers silent for a week.
-- :scheduler  host and process
delete from pipeline.scheduler_heartbeat
where
    scheduler_heartbeat.scheduler = :scheduler
    or scheduler_heartbeat.beat_at < clock_timestamp() - interval '7 days'
