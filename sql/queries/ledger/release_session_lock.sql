-- Gives back a lock held by this session.
-- :name  name of the lock
select pg_advisory_unlock(hashtextextended(cast(:name as text), 0))
