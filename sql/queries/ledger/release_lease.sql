-- Gives back a lease held by this session.
-- :name   name of the leases
-- :lease  number of the lease
select pg_advisory_unlock(hashtext(cast(:name as text)), cast(:lease as integer))
