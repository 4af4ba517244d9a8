-- The database's clock when a channel calls for a pull; no row when none does.
-- :topics  the channels listened to
select statement_timestamp() as asked_at
from pipeline.event_channel
where pull_since is not null and topic = any(cast(:topics as text[]))
limit 1
