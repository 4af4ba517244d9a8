-- Gives the slot :slot of those called :name, held by this session, back.
select pg_advisory_unlock(hashtext(cast(:name as text)), cast(:slot as integer));
