-- Status words of the sources that no mapping knows, with how many records have each and up to five ids.
-- :at_most  how many rows at most
with unknown_word as (
    select 'account' as stream, 'eligibility_status' as field, eligibility_word as word, account_id as record_id
    from snapshot.account
    where eligibility_status = 'unknown'
    union all
    select 'account', 'verification_status', verification_word, account_id
    from snapshot.account
    where verification_status = 'unknown'
    union all
    select 'order', 'status', status, order_id from snapshot."order" where stage = 'unknown'
    union all
    select 'service', 'status', status, cast(service_id as text)
    from snapshot.service
    where status is not null and status is distinct from status_known
    union all
    select 'invoice', 'status', status, cast(invoice_id as text)
    from snapshot.invoice
    where status is not null and status is distinct from status_known
)

select
    unknown_word.stream,
    unknown_word.field,
    unknown_word.word,
    count(*) as records,
    (array_agg(unknown_word.record_id order by unknown_word.record_id))[1:5] as samples
from unknown_word
group by unknown_word.stream, unknown_word.field, unknown_word.word
order by unknown_word.stream, unknown_word.field, unknown_word.word
limit :at_most
