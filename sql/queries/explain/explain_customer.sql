-- What is stored of an account: words with their age, link, document and mark; no row for none.
-- :customer_id  Account id of the customer
select
    account.is_customer,
    account.eligibility_word,
    account.eligibility_status,
    account.eligibility_known,
    account.verification_word,
    account.verification_status,
    account.verification_known,
    account.modified_at,
    link.state as link_state,
    link.client_id,
    me_status.content_hash,
    me_status.computed_at,
    me_status.rules_version,
    me_status.run_id,
    refresh_mark.marked_at
from snapshot.account
left join pipeline.link on link.customer_id = account.account_id
left join me_status on me_status.customer_id = account.account_id
left join pipeline.refresh_mark on refresh_mark.customer_id = account.account_id
where account.account_id = cast(:customer_id as text)
