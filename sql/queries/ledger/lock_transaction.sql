-- Waits for a lock and holds it until the transaction ends.
-- :name  name of the lock
select pg_advisory_xact_lock(hashtextextended(cast(:name as text), 0))
