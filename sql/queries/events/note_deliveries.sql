-- Notes what the org has left of the day's deliveries.
-- :remaining  deliveries left; null when the org does not say
-- :total      of how many
-- :topic      the channel
update pipeline.event_channel
set
    deliveries_left = cast(:remaining as bigint),
    deliveries_limit = cast(:total as bigint),
    deliveries_at = statement_timestamp()
where topic = cast(:topic as text)
