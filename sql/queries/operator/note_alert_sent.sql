-- Notes that an alert was accepted.
-- :alert_id  the alert
update pipeline.alert
set sent_at = clock_timestamp()
where alert.alert_id = :alert_id
