-- The operator's counts as kind, label and number: totals, customers by first task, set-aside records.
-- :most  counted up to this, estimated by the planner beyond
with customer as materialized (
    select top_task_type from me_status limit cast(:most as bigint) + 1
),

large as (
    select relname, reltuples
    from pg_class
    where oid in (
        to_regclass('public.me_status'), to_regclass('public.notification_unread'), to_regclass('pipeline.refresh_mark')
    )
),

counted as (
    select 'customers' as label, 'me_status' as relation, count(*) as number from customer
    union all
    select 'marks_waiting', 'refresh_mark', count(*)
    from (select from pipeline.refresh_mark limit cast(:most as bigint) + 1) as mark
    union all
    select 'notifications_unread', 'notification_unread', count(*)
    from (
        select from notification
        where read_at is null and resolved_at is null and dismissed_at is null
        limit cast(:most as bigint) + 1
    ) as unread
),

total as (
    select
        counted.label,
        case
            when counted.number <= cast(:most as bigint) then counted.number
            else greatest(counted.number, cast(large.reltuples as bigint))
        end as number,
        counted.number <= cast(:most as bigint) as is_exact
    from counted
    left join large on large.relname = counted.relation
),

first_task as (
    select task.top_task_type, task.share
    from pg_stats
    cross join
        lateral unnest(
            cast(cast(pg_stats.most_common_vals as text) as text[]), pg_stats.most_common_freqs
        ) as task (top_task_type, share)
    where pg_stats.schemaname = 'public' and pg_stats.tablename = 'me_status' and pg_stats.attname = 'top_task_type'
    union all
    select 'none', null_frac
    from pg_stats
    where schemaname = 'public' and tablename = 'me_status' and attname = 'top_task_type' and null_frac > 0
)

select 'total' as kind, label, number from total
union all
select 'total', 'outbox_waiting', count(*) from pipeline.notification_outbox where not is_held
union all
select 'total', 'outbox_held', count(*) from pipeline.notification_outbox where is_held
union all
select 'total', 'held_runs', count(*) from pipeline.held_run where decision is null
union all
select 'task', coalesce(customer.top_task_type, 'none'), count(*)
from customer
where exists (select from total where label = 'customers' and is_exact)
group by 2
union all
select 'task', first_task.top_task_type, cast(first_task.share * total.number as bigint)
from first_task
inner join total on total.label = 'customers' and not total.is_exact
union all
select 'set_aside', stream, count(*) from pipeline.set_aside_record group by 2
