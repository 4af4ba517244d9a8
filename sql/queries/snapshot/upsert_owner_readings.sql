-- Notes that the records of owners were read by themselves; how old answers are changes once documents follow.
-- :stream     name of the stream
-- :began_at   the database's clock before the first call of the reading
-- :owner_ids  accounts or clients, as text
insert into pipeline.owner_reading (stream, owner_id, began_at, read_at)
select
    cast(:stream as text) as stream,
    given.owner_id,
    cast(:began_at as timestamptz) as began_at,
    '-infinity' as read_at
from (select distinct unnest(cast(:owner_ids as text[])) as owner_id) as given
order by given.owner_id
on conflict (owner_id, stream) do update
    set began_at = greatest(owner_reading.began_at, excluded.began_at)
