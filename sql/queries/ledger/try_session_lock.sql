-- True when the lock is now held by this session, until it ends or gives the lock back.
-- :name  name of the lock
select pg_try_advisory_lock(hashtextextended(cast(:name as text), 0)) as is_held
