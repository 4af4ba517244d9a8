-- Grain: one run.
create or replace view analytics.run_history as
select
    job_run.run_id,
    job_run.job,
    job_run.due_at,
    job_run.started_at,
    cast(job_run.started_at at time zone settings.zone as date) as started_on,
    job_run.finished_at,
    extract(epoch from job_run.finished_at - job_run.started_at) as seconds,
    extract(epoch from job_run.started_at - job_run.due_at) as seconds_late,
    job_run.outcome,
    job_run.error
from public.job_run
cross join analytics.settings;
comment on view analytics.run_history is 'One row per run: how long it took and how late it started.';
comment on column analytics.run_history.run_id is 'Key, ascending in the order of starting.';
comment on column analytics.run_history.job is 'Which job.';
comment on column analytics.run_history.due_at is 'The slot it filled; null by hand.';
comment on column analytics.run_history.started_at is 'When it started: its now.';
comment on column analytics.run_history.started_on is 'Business day of starting.';
comment on column analytics.run_history.finished_at is 'When it ended; null while it runs.';
comment on column analytics.run_history.seconds is 'How long it took; null while it runs.';
comment on column analytics.run_history.seconds_late is 'How long after its slot it started; null by hand.';
comment on column analytics.run_history.outcome is 'running, succeeded, failed, held or discarded.';
comment on column analytics.run_history.error is 'Why it failed or was held; never personal data.';
