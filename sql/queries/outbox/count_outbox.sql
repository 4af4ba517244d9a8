-- What a run would send, by type, as dedupe would let it pass: numbers, title, limit and a few customers.
-- :run_id  the run
-- :now     instant of the run
-- :days    days the flood gate looks back
-- :floor   the flood gate's floor
-- :factor  the flood gate's factor
with passing as (
    select
        notification_outbox.type,
        notification_outbox.customer_id,
        min(notification_outbox.title) as title,
        count(*) as notifications
    from pipeline.notification_outbox
    left join pipeline.notification_window
        on
            notification_window.customer_id = notification_outbox.customer_id
            and notification_window.type = notification_outbox.type
            and notification_window.source_id = notification_outbox.source_id
    where
        notification_outbox.run_id = cast(:run_id as bigint)
        and not notification_outbox.is_held
        and (
            notification_window.last_sent_at is null
            or notification_window.last_sent_at
            <= cast(:now as timestamptz) - make_interval(secs => notification_outbox.window_seconds)
        )
    group by notification_outbox.type, notification_outbox.customer_id
),

counted as (
    select
        passing.type,
        cast(sum(passing.notifications) as bigint) as notifications,
        count(*) as recipients,
        min(passing.title) as title,
        (array_agg(passing.customer_id order by passing.customer_id))[1:5] as samples
    from passing
    group by passing.type
),

sent_by_hint as (
    select
        sent_count.run_id,
        sent_count.type,
        sent_count.sent
    from pipeline.sent_count
    inner join job_run on job_run.run_id = sent_count.run_id
    where
        job_run.job = 'sync-hinted'
        and job_run.run_id <> cast(:run_id as bigint)
        and sent_count.sent_at > cast(:now as timestamptz) - interval '1 hour'
        and exists (
            select from job_run as own_run
            where own_run.run_id = cast(:run_id as bigint) and own_run.job = 'sync-hinted'
        )
),

sent_by_hints as (
    select sent_by_hint.type, sum(sent_by_hint.sent) as sent
    from sent_by_hint
    group by sent_by_hint.type
),

sent_most as (
    select sent_count.type, max(sent_count.sent) as sent
    from pipeline.sent_count
    where
        sent_count.sent_at >= cast(:now as timestamptz) - make_interval(days => cast(:days as integer))
        and not exists (
            select from sent_by_hint
            where sent_by_hint.run_id = sent_count.run_id and sent_by_hint.type = sent_count.type
        )
    group by sent_count.type
)

select
    counted.type,
    counted.notifications,
    cast(coalesce(sent_by_hints.sent, 0) as bigint) as already_sent,
    counted.recipients,
    counted.title,
    coalesce(sent_most.sent, 0) as most_sent,
    cast(floor(greatest(cast(:floor as numeric), cast(:factor as numeric) * coalesce(sent_most.sent, 0))) as bigint)
        as allowed,
    counted.samples
from counted
left join sent_by_hints on sent_by_hints.type = counted.type
left join sent_most on sent_most.type = counted.type
order by counted.type
