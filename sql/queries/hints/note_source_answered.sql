-- Notes that a source answered a hinted reading.
-- :source  salesforce or whmcs
update pipeline.source_state
set
    hint_attempts = 0,
    hints_after = null
where source_state.source = :source and source_state.hint_attempts > 0
