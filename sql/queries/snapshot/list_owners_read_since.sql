-- The owners whose records of a stream were read by themselves after a pull of it had begun.
-- :stream    text
-- :began_at  timestamptz, the database's clock before the first call of the pull
select owner_reading.owner_id
from pipeline.owner_reading
where owner_reading.stream = :stream and owner_reading.began_at > cast(:began_at as timestamptz)
order by owner_reading.owner_id
