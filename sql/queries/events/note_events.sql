-- Notes how far a channel was read, and calls for a pull where events were lost.
-- :replay_id  the stream goes on after it
-- :events     how many events came
-- :broken     how many of them could not be read
-- :is_lost    whether something changed that no event names
-- :topic      the channel
update pipeline.event_channel
set
    replay_id = coalesce(nullif(cast(:replay_id as bytea), cast('' as bytea)), replay_id),
    heard_at = statement_timestamp(),
    events = events + cast(:events as bigint),
    broken = broken + cast(:broken as bigint),
    lost = lost + cast(cast(:is_lost as boolean) as integer),
    pull_since = case when cast(:is_lost as boolean) then statement_timestamp() else pull_since end,
    error = null,
    failed_at = null
where topic = cast(:topic as text)
