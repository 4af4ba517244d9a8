-- Records what a held run holds as discarded by the operator and empties it; reminders count from now.
-- :run_id  the run
-- :now     instant of the run
with held as materialized (
    select *
    from pipeline.notification_outbox
    where notification_outbox.run_id = cast(:run_id as bigint) and notification_outbox.is_held
    order by notification_outbox.customer_id, notification_outbox.type, notification_outbox.source_id
    for update
),

discarded as (
    insert into pipeline.suppressed_notification (customer_id, type, source_id, suppressed_at, reason, run_id)
    select held.customer_id, held.type, held.source_id, cast(:now as timestamptz), 'discarded', held.run_id
    from held
),

remembered as (
    insert into pipeline.notification_window (customer_id, type, source_id, discarded_at)
    select held.customer_id, held.type, held.source_id, cast(:now as timestamptz)
    from held
    where held.type in ('INVOICE_DUE', 'PAYMENT_METHOD_EXPIRING')
    on conflict (customer_id, type, source_id) do update set discarded_at = excluded.discarded_at
),

looked_at_again as (
    insert into pipeline.refresh_mark (customer_id, marked_at)
    select distinct held.customer_id, cast(:now as timestamptz)
    from held
    order by held.customer_id
    on conflict (customer_id) do update set marked_at = refresh_mark.marked_at
),

removed as (
    delete from pipeline.notification_outbox
    using held
    where
        notification_outbox.customer_id = held.customer_id
        and notification_outbox.type = held.type
        and notification_outbox.source_id = held.source_id
)

select count(*) as discarded from held
