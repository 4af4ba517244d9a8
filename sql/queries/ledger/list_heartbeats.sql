-- Every scheduler: when it started, and its last beat.
select scheduler_heartbeat.scheduler, scheduler_heartbeat.started_at, scheduler_heartbeat.beat_at
from pipeline.scheduler_heartbeat
order by scheduler_heartbeat.beat_at desc
