-- True when the lock named :name is now held by this session, until it ends or gives the lock back.
select pg_try_advisory_lock(hashtextextended(cast(:name as text), 0)) as is_held;
