-- Notes what the stream of a channel ended with.
-- :error  what went wrong, without secrets
-- :topic  the channel
update pipeline.event_channel
set error = cast(:error as text), failed_at = statement_timestamp()
where topic = cast(:topic as text)
