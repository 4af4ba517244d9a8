-- Withdraws an announcement: what was sent of it is resolved; how many, and how many had been sent in all.
-- :now        instant of the run
-- :source_id  id of the announcement
with withdrawn as (
    update notification
    set resolved_at = cast(:now as timestamptz)
    where
        notification.type = 'SYSTEM_ANNOUNCEMENT'
        and notification.source_id = cast(:source_id as text)
        and notification.resolved_at is null
    returning customer_id
)

select
    (select count(*) from withdrawn) as withdrawn,
    (
        select count(*)
        from notification
        where notification.type = 'SYSTEM_ANNOUNCEMENT' and notification.source_id = cast(:source_id as text)
    ) as sent
