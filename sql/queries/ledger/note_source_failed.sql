-- Notes that a run of a source failed.
-- :now     instant of the run
-- :error   what went wrong, without secrets; null when nothing did
-- :source  salesforce or whmcs
update pipeline.source_state
set failed_at = :now, error = :error
where source = :source
