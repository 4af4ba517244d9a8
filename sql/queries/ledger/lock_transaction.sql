-- Waits for the lock named :name and holds it until the transaction ends.
select pg_advisory_xact_lock(hashtextextended(cast(:name as text), 0));
