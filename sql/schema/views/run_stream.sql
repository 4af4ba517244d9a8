-- Grain: one sync and stream that it read.
create or replace view analytics.run_stream as
select
    job_run.run_id,
    job_run.job,
    job_run.started_at,
    cast(job_run.started_at at time zone settings.zone as date) as started_on,
    job_run.outcome,
    stream.name as stream,
    stream.counts ->> 'extent' as extent,
    cast(stream.counts ->> 'read' as bigint) as read,
    cast(stream.counts ->> 'added' as bigint) as added,
    cast(stream.counts ->> 'changed' as bigint) as changed,
    cast(stream.counts ->> 'removed' as bigint) as removed,
    cast(stream.counts ->> 'set_aside' as bigint) as set_aside,
    cast(stream.counts ->> 'ignored' as bigint) as ignored,
    stream.counts ->> 'incomplete' as incomplete
from public.job_run
cross join analytics.settings
cross join lateral json_each(job_run.counts) as stream (name, counts)
where
    job_run.job like 'sync-%'
    and stream.name in (
        'account', 'order', 'case', 'client', 'invoice', 'service', 'pay_method', 'cancellation', 'balance'
    )
    and json_typeof(stream.counts) = 'object';
comment on view analytics.run_stream is 'One row per sync and stream: what it read, and what of it was new.';
comment on column analytics.run_stream.run_id is 'The run.';
comment on column analytics.run_stream.job is 'sync-salesforce, sync-whmcs or sync-hinted.';
comment on column analytics.run_stream.started_at is 'The now of the run.';
comment on column analytics.run_stream.started_on is 'Business day of started_at.';
comment on column analytics.run_stream.outcome is 'running, succeeded, failed, held or discarded.';
comment on column analytics.run_stream.stream is 'Which stream.';
comment on column analytics.run_stream.extent is 'How far it was read: full, partial and the like.';
comment on column analytics.run_stream.read is 'Rows read.';
comment on column analytics.run_stream.added is 'Rows that were not known.';
comment on column analytics.run_stream.changed is 'Rows that differed.';
comment on column analytics.run_stream.removed is 'Rows that went.';
comment on column analytics.run_stream.set_aside is 'Records that could not be taken.';
comment on column analytics.run_stream.ignored is 'Rows older than the known ones.';
comment on column analytics.run_stream.incomplete is 'Why the pull was not complete; null when it was.';
