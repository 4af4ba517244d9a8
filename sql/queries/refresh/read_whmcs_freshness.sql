-- Whether WHMCS was pulled within its freshness limit.
-- :now    instant of the run
-- :limit  interval, the freshness limit
select exists (
    select 1
    from pipeline.source_state
    where
        source_state.source = 'whmcs'
        and source_state.synced_at >= cast(:now as timestamptz) - cast(:limit as interval)
) as is_fresh
