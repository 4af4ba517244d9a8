-- The oldest alert that may be sent now, its next attempt moved on so that nobody else sends it meanwhile.
update pipeline.alert
set
    attempts = alert.attempts + 1,
    not_before = clock_timestamp() + make_interval(secs => least(3600, 15 * power(2, alert.attempts)))
where
    alert.alert_id = (
        select waiting.alert_id
        from pipeline.alert as waiting
        where waiting.sent_at is null and waiting.not_before <= clock_timestamp()
        order by waiting.alert_id
        limit 1
        for update skip locked
    )
returning alert.alert_id, alert.detail
