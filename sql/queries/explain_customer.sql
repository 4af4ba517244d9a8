-- What is stored of the customer :customer_id: link, account words with their age, document, next change; no row for none.
select
    account.account_id as customer_id,
    account.is_customer,
    account.eligibility_word,
    account.eligibility_status,
    account.eligibility_known,
    account.verification_word,
    account.verification_status,
    account.verification_known,
    account.modified_at,
    link.state as link_state,
    coalesce(link.client_id, account.whmcs_client_id) as client_id,
    me_status.document,
    me_status.computed_at,
    me_status.next_change_at,
    me_status.next_notification_at,
    me_status.rules_version,
    me_status.run_id,
    refresh_mark.marked_at
from snapshot.account
left join pipeline.link on link.customer_id = account.account_id
left join me_status on me_status.customer_id = account.account_id
left join pipeline.refresh_mark on refresh_mark.customer_id = account.account_id
where account.account_id = :customer_id;
