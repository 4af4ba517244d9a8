-- Takes a free lease for this session and returns its number; no row when none is free.
-- :leases  how many there are
-- :name    name of the leases
select free.lease
from generate_series(1, cast(:leases as integer)) as free (lease)
where pg_try_advisory_lock(hashtext(cast(:name as text)), free.lease)
limit 1
