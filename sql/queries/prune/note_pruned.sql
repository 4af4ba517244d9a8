-- Notes up to which instant each kind of history may be gone; never an earlier one than before.
-- :kinds    kinds of history
-- :befores  instants, side by side with the kinds
insert into pipeline.pruned (kind, before)
select pruning.kind, pruning.before
from unnest(cast(:kinds as text[]), cast(:befores as timestamptz[])) as pruning (kind, before)
order by pruning.kind
on conflict (kind) do update set before = greatest(pruned.before, excluded.before)
