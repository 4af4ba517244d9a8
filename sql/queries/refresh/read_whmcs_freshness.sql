-- Whether WHMCS was pulled within its freshness limit; now: the run's now; limit: an interval.
select coalesce(bool_and(source_state.synced_at >= cast(:now as timestamptz) - cast(:limit as interval)), false) as is_fresh
from pipeline.source_state
where source_state.source = 'whmcs'
