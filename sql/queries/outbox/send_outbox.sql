-- Sends the next of a run's notifications, each at most once per dedupe window; a reminder resolves its older ones.
-- :run_id   the run
-- :is_held  whether to send held ones or free ones
-- :batch    how many at most
-- :now      created_at of what is sent
with batch as materialized (
    select *
    from pipeline.notification_outbox
    where
        notification_outbox.run_id = cast(:run_id as bigint) and notification_outbox.is_held = cast(:is_held as boolean)
    order by notification_outbox.customer_id, notification_outbox.type, notification_outbox.source_id
    limit cast(:batch as bigint)
    for update skip locked
),

passed as (
    insert into pipeline.notification_window (customer_id, type, source_id, last_sent_at)
    select batch.customer_id, batch.type, batch.source_id, cast(:now as timestamptz)
    from batch
    order by batch.customer_id, batch.type, batch.source_id
    on conflict (customer_id, type, source_id) do update
        set last_sent_at = excluded.last_sent_at
        where
        notification_window.last_sent_at is null
        or notification_window.last_sent_at <= excluded.last_sent_at - (
            select make_interval(secs => waiting.window_seconds)
            from pipeline.notification_outbox as waiting
            where
                waiting.customer_id = notification_window.customer_id
                and waiting.type = notification_window.type
                and waiting.source_id = notification_window.source_id
        )
    returning customer_id, type, source_id
),

sent as (
    insert into notification (
        customer_id, type, source_id, title, message, action_url, action_label, tone, about, created_at, run_id,
        client_id
    )
    select
        batch.customer_id,
        batch.type,
        batch.source_id,
        batch.title,
        batch.message,
        batch.action_url,
        batch.action_label,
        batch.tone,
        batch.about,
        cast(:now as timestamptz),
        batch.run_id,
        pipeline.client_of_news(batch.type, batch.source_id)
    from batch
    inner join passed
        on
            passed.customer_id = batch.customer_id
            and passed.type = batch.type
            and passed.source_id = batch.source_id
    returning type
),

reminded_again as (
    update notification
    set resolved_at = cast(:now as timestamptz)
    from passed
    where
        passed.type in ('INVOICE_DUE', 'PAYMENT_METHOD_EXPIRING')
        and notification.customer_id = passed.customer_id
        and notification.type = passed.type
        and notification.source_id = passed.source_id
        and notification.resolved_at is null
),

suppressed as (
    insert into pipeline.suppressed_notification (
        customer_id, type, source_id, suppressed_at, reason, passes_at, run_id
    )
    select
        batch.customer_id,
        batch.type,
        batch.source_id,
        cast(:now as timestamptz),
        'window',
        notification_window.last_sent_at + make_interval(secs => batch.window_seconds),
        batch.run_id
    from batch
    left join passed
        on
            passed.customer_id = batch.customer_id
            and passed.type = batch.type
            and passed.source_id = batch.source_id
    left join pipeline.notification_window
        on
            notification_window.customer_id = batch.customer_id
            and notification_window.type = batch.type
            and notification_window.source_id = batch.source_id
    where passed.customer_id is null
    returning type
),

removed as (
    delete from pipeline.notification_outbox
    using batch
    where
        notification_outbox.customer_id = batch.customer_id
        and notification_outbox.type = batch.type
        and notification_outbox.source_id = batch.source_id
),

counted as (
    insert into pipeline.sent_count (run_id, type, sent_at, sent)
    select cast(:run_id as bigint), sent.type, cast(:now as timestamptz), count(*)
    from sent
    group by sent.type
    order by sent.type
    on conflict (run_id, type) do update set
        sent = sent_count.sent + excluded.sent,
        sent_at = excluded.sent_at
),

looked_at_again as (
    insert into pipeline.refresh_mark (customer_id, marked_at)
    select distinct batch.customer_id, cast(:now as timestamptz)
    from batch
    where batch.is_held
    order by batch.customer_id
    on conflict (customer_id) do update set marked_at = refresh_mark.marked_at
)

select
    batch.type,
    count(*) as taken,
    (select count(*) from sent where sent.type = batch.type) as sent,
    (select count(*) from suppressed where suppressed.type = batch.type) as suppressed
from batch
group by batch.type
order by batch.type
