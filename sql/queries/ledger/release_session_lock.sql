-- Gives the lock named :name, held by this session, back.
select pg_advisory_unlock(hashtextextended(cast(:name as text), 0));
