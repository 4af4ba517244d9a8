-- Forgets a replay id that Salesforce no longer knows, and calls for a pull of what was missed.
-- :topic  the channel
update pipeline.event_channel
set replay_id = null, lost = lost + 1, pull_since = statement_timestamp()
where topic = cast(:topic as text)
