-- The source :source was synced whole at :now, from :organization_id (null: not known).
update pipeline.source_state
set
    synced_at = :now,
    organization_id = coalesce(cast(:organization_id as text), source_state.organization_id),
    failed_at = null,
    error = null
where source = :source;
