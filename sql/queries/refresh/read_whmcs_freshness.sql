-- Whether WHMCS was pulled within its freshness limit.
-- :now      instant of the run
-- :longest  interval, the freshness limit
select count(*) > 0 as is_fresh
from pipeline.source_state
where
    source_state.source = 'whmcs'
    and source_state.synced_at + cast(:longest as interval) >= cast(:now as timestamptz)
