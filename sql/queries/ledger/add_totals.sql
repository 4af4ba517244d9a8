-- Adds to totals that only grow, whatever is pruned.
-- :metrics  names, such as runs
-- :labels   their first label, beside each
-- :details  their second label, beside each; empty where there is one only
-- :amounts  what to add, beside each
insert into pipeline.total (metric, label, detail, amount)
select given.metric, given.label, given.detail, sum(given.amount)
from
    unnest(
        cast(:metrics as text[]), cast(:labels as text[]), cast(:details as text[]), cast(:amounts as float8[])
    ) as given (metric, label, detail, amount)
group by given.metric, given.label, given.detail
on conflict (metric, label, detail) do update
    set amount = total.amount + excluded.amount
