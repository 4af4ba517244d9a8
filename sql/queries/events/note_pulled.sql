-- A pull that began at an instant has found what channels lost before it.
-- :began_at  the database's clock before the pull
update pipeline.event_channel
set pull_since = null
where pull_since <= cast(:began_at as timestamptz)
