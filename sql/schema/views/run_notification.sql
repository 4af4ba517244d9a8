-- Grain: one run and notification type.
create or replace view analytics.run_notification as
with sent as (
    select sent_count.run_id, sent_count.type, sent_count.sent, sent_count.sent_at
    from pipeline.sent_count
),

suppressed as (
    select
        suppressed_notification.run_id,
        suppressed_notification.type,
        count(*) filter (where suppressed_notification.reason = 'window') as suppressed_by_window,
        count(*) filter (where suppressed_notification.reason = 'held') as suppressed_by_hold,
        count(*) filter (where suppressed_notification.reason = 'discarded') as discarded
    from pipeline.suppressed_notification
    group by suppressed_notification.run_id, suppressed_notification.type
),

waiting as (
    select notification_outbox.run_id, notification_outbox.type, count(*) as waiting
    from pipeline.notification_outbox
    group by notification_outbox.run_id, notification_outbox.type
)

select
    run_id,
    type,
    coalesce(sent.sent, 0) as sent,
    sent.sent_at,
    coalesce(suppressed.suppressed_by_window, 0) as suppressed_by_window,
    coalesce(suppressed.suppressed_by_hold, 0) as suppressed_by_hold,
    coalesce(suppressed.discarded, 0) as discarded,
    coalesce(waiting.waiting, 0) as waiting
from sent
full join suppressed using (run_id, type)
full join waiting using (run_id, type);
comment on view analytics.run_notification is 'One row per run and notification type: what became of what the run decided, what the release of a held run sent included.';
comment on column analytics.run_notification.run_id is 'The run that decided them.';
comment on column analytics.run_notification.type is 'One of the twelve types.';
comment on column analytics.run_notification.sent is 'How many were sent, at once or on release.';
comment on column analytics.run_notification.sent_at is 'The now of the last sending; null when none was.';
comment on column analytics.run_notification.suppressed_by_window is 'Not sent: one was sent within the dedupe window.';
comment on column analytics.run_notification.suppressed_by_hold is 'Not sent: the same one waits in a held run.';
comment on column analytics.run_notification.discarded is 'Not sent: the operator discarded the run.';
comment on column analytics.run_notification.waiting is 'Not sent yet: held, or of a run under way.';
