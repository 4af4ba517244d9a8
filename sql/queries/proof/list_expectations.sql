-- Whether each has a document and should have one, in one snapshot of the database; who may differ as yet is left out.
-- A refresh takes a mark, or notes a failure, in the transaction that writes the document.
-- :customer_ids  Account ids
select
    asked_for.customer_id,
    me_status.customer_id is not null as has_document,
    coalesce(account.is_customer, false) and account_redirect.account_id is null as is_customer
from unnest(cast(:customer_ids as text[])) as asked_for (customer_id)
left join me_status on me_status.customer_id = asked_for.customer_id
left join snapshot.account on account.account_id = asked_for.customer_id
left join pipeline.account_redirect on account_redirect.account_id = asked_for.customer_id
where
    not exists (select 1 from pipeline.refresh_mark where refresh_mark.customer_id = asked_for.customer_id)
    and not exists (
        select 1 from pipeline.failed_customer where failed_customer.customer_id = asked_for.customer_id
    )
