-- Notes how much of its daily requests a source says is used.
-- :now      instant of the run
-- :used     bigint
-- :allowed  bigint
-- :source   salesforce or whmcs
update pipeline.source_state
set
    requests_used = cast(:used as bigint),
    requests_allowed = cast(:allowed as bigint),
    usage_at = :now
where source = :source
