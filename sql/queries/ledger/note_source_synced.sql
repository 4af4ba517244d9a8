-- Notes that a source was synced whole.
-- :now              instant of the run
-- :organization_id  whose data it is; null: not known
-- :source           salesforce or whmcs
update pipeline.source_state
set
    synced_at = :now,
    organization_id = coalesce(cast(:organization_id as text), source_state.organization_id),
    failed_at = null,
    error = null,
    hint_attempts = 0,
    hints_after = null
where source = :source
