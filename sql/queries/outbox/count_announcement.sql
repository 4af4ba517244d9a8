-- How many customers an announcement reaches, and how many of the type may go out unasked.
-- :customer_ids  Account ids of those listed; null: everybody
-- :source_id     id of the announcement: those it has reached are not counted
-- :floor         the flood gate's floor
-- :factor        the flood gate's factor
-- :now           instant of the run
-- :days          days the flood gate looks back
select
    (
        select count(*) from me_status
        where
            (
                cast(:customer_ids as text[]) is null
                or me_status.customer_id = any(cast(:customer_ids as text[]))
            )
            and not exists (
                select
                from pipeline.notification_window
                where
                    notification_window.customer_id = me_status.customer_id
                    and notification_window.type = 'SYSTEM_ANNOUNCEMENT'
                    and notification_window.source_id = cast(:source_id as text)
            )
    ) as customers,
    (
        select
            cast(
                floor(
                    greatest(cast(:floor as numeric), cast(:factor as numeric) * coalesce(max(sent_count.sent), 0))
                ) as bigint
            )
        from pipeline.sent_count
        where
            sent_count.type = 'SYSTEM_ANNOUNCEMENT'
            and sent_count.sent_at >= cast(:now as timestamptz) - make_interval(days => cast(:days as integer))
    ) as allowed
