-- Whether WHMCS was pulled within its freshness limit.
-- :now    instant of the run
-- :limit  interval, the freshness limit
select count(*) > 0 as is_fresh
from pipeline.source_state
where
    source_state.source = 'whmcs'
    and source_state.synced_at + cast(:limit as interval) >= cast(:now as timestamptz)
