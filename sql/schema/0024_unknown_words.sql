-- Records whose status is a word that no mapping knows are found at once: mostly there are none.

create index account_eligibility_unknown on snapshot.account (account_id) where eligibility_status = 'unknown';
create index account_verification_unknown on snapshot.account (account_id) where verification_status = 'unknown';
create index order_stage_unknown on snapshot."order" (order_id) where stage = 'unknown';
create index service_status_unknown on snapshot.service (service_id)
where status is not null and status is distinct from status_known;
create index invoice_status_unknown on snapshot.invoice (invoice_id)
where status is not null and status is distinct from status_known;

create view pipeline.unknown_word as
select 'account' as stream, 'eligibility_status' as field, eligibility_word as word, account_id as record_id
from snapshot.account
where eligibility_status = 'unknown'
union all
select 'account' as stream, 'verification_status' as field, verification_word as word, account_id as record_id
from snapshot.account
where verification_status = 'unknown'
union all
select 'order' as stream, 'status' as field, status as word, order_id as record_id
from snapshot."order"
where stage = 'unknown'
union all
select 'service' as stream, 'status' as field, status as word, cast(service_id as text) as record_id
from snapshot.service
where status is not null and status is distinct from status_known
union all
select 'invoice' as stream, 'status' as field, status as word, cast(invoice_id as text) as record_id
from snapshot.invoice
where status is not null and status is distinct from status_known;

comment on view pipeline.unknown_word is 'Records whose status is a word that no mapping knows, one row per record and field. Fast.';
comment on column pipeline.unknown_word.stream is 'The stream of the record.';
comment on column pipeline.unknown_word.field is 'Which of its statuses.';
comment on column pipeline.unknown_word.word is 'The word as the source gives it.';
comment on column pipeline.unknown_word.record_id is 'Id of the record.';
