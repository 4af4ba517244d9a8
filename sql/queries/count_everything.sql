-- The operator's counts in one go, as kind, label and number: totals, customers by first task, refused records by stream.
select 'total' as kind, 'customers' as label, count(*) as number from me_status
union all
select 'total', 'marks_waiting', count(*) from pipeline.refresh_mark
union all
select 'total', 'outbox_waiting', count(*) from pipeline.notification_outbox where not is_held
union all
select 'total', 'outbox_held', count(*) from pipeline.notification_outbox where is_held
union all
select 'total', 'held_runs', count(*) from pipeline.held_run where decision is null
union all
select 'total', 'notifications_unread', count(*)
from notification
where read_at is null
    and resolved_at is null
    and dismissed_at is null
union all
select 'task', coalesce(top_task_type, 'none'), count(*) from me_status group by 2
union all
select 'refused', stream, count(*) from pipeline.refused_record group by 2
