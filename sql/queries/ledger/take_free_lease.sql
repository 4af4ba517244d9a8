-- Takes a free one of the :slots slots called :name for this session, and says its number; no row when none is free.
select free.slot
from generate_series(1, cast(:slots as integer)) as free (slot)
where pg_try_advisory_lock(hashtext(cast(:name as text)), free.slot)
limit 1;
