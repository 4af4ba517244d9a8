-- What GET /api/me/status serves: each customer's stored document, and when the facts it rests on were last read.
-- Facts of a marked customer are newer than the document: it is as old as they were when the mark came.
-- :customer_ids  Account ids of the customers
select
    me_status.customer_id,
    me_status.document,
    me_status.content_hash,
    me_status.computed_at,
    coalesce(refresh_mark.account_at, fact_age.account_at) as account_at,
    coalesce(refresh_mark.salesforce_at, fact_age.salesforce_at) as salesforce_at,
    coalesce(refresh_mark.billing_at, fact_age.billing_at) as billing_at,
    coalesce(refresh_mark.pay_methods_at, fact_age.pay_methods_at) as pay_methods_at,
    coalesce(refresh_mark.balances_at, fact_age.balances_at) as balances_at,
    me_status.whmcs_client_id is not null as has_client
from me_status
inner join pipeline.fact_age on fact_age.customer_id = me_status.customer_id
left join pipeline.refresh_mark on refresh_mark.customer_id = me_status.customer_id
where me_status.customer_id = any(cast(:customer_ids as text[]))
