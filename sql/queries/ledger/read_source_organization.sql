-- The organization that a source was pulled from last; null before the first.
-- :source  salesforce or whmcs
select organization_id
from pipeline.source_state
where source = :source
