-- Empties a run's outbox of what is not for guests, and records it as passed over; reminders count from now.
-- :run_id  the run
-- :guests  Account ids of the customers who may be notified
-- :now     instant of the run
with stranger as materialized (
    select *
    from pipeline.notification_outbox
    where
        notification_outbox.run_id = cast(:run_id as bigint)
        and notification_outbox.customer_id <> all(cast(:guests as text[]))
    order by notification_outbox.customer_id, notification_outbox.type, notification_outbox.source_id
    for update
),

recorded as (
    insert into pipeline.suppressed_notification (customer_id, type, source_id, suppressed_at, reason, run_id)
    select
        stranger.customer_id,
        stranger.type,
        stranger.source_id,
        cast(:now as timestamptz),
        'not_a_guest',
        stranger.run_id
    from stranger
),

remembered as (
    insert into pipeline.notification_window (customer_id, type, source_id, discarded_at)
    select stranger.customer_id, stranger.type, stranger.source_id, cast(:now as timestamptz)
    from stranger
    where stranger.type in ('INVOICE_DUE', 'PAYMENT_METHOD_EXPIRING')
    on conflict (customer_id, type, source_id) do update set discarded_at = excluded.discarded_at
),

looked_at_again as (
    insert into pipeline.refresh_mark (customer_id, marked_at)
    select distinct stranger.customer_id, cast(:now as timestamptz)
    from stranger
    where stranger.is_held
    order by stranger.customer_id
    on conflict (customer_id) do update set marked_at = refresh_mark.marked_at
),

removed as (
    delete from pipeline.notification_outbox
    using stranger
    where
        notification_outbox.customer_id = stranger.customer_id
        and notification_outbox.type = stranger.type
        and notification_outbox.source_id = stranger.source_id
)

select stranger.type, count(*) as passed_over
from stranger
group by stranger.type
order by stranger.type
