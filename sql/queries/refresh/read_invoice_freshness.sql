-- Whether invoices were pulled within the freshness limit of WHMCS.
-- :now      instant of the run
-- :longest  interval, the freshness limit
select count(*) > 0 as is_fresh
from pipeline.stream_state
where
    stream_state.stream = 'invoice'
    and stream_state.synced_at + cast(:longest as interval) >= cast(:now as timestamptz)
