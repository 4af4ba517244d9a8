-- Pauses a job; pausing it again replaces what was said before.
-- :job           the job
-- :now           when it was paused
-- :paused_until  until when; null: until it is resumed
-- :reason        why, for whoever reads `status`; null: not said
insert into pipeline.job_pause (job, paused_at, paused_until, reason)
values (:job, :now, cast(:paused_until as timestamptz), cast(:reason as text))
on conflict (job) do update
    set
        paused_at = excluded.paused_at,
        paused_until = excluded.paused_until,
        reason = excluded.reason,
        resumed_at = null
