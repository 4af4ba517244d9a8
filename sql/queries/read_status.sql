-- What GET /api/me/status serves: one customer's stored document and the age of its data; parameter customer_id.
select
    me_status.document,
    me_status.content_hash,
    me_status.computed_at,
    salesforce.synced_at as salesforce_synced_at,
    whmcs.synced_at as whmcs_synced_at
from me_status
left join pipeline.source_state as salesforce on salesforce.source = 'salesforce'
left join pipeline.source_state as whmcs on whmcs.source = 'whmcs'
where me_status.customer_id = :customer_id
