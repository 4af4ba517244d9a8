-- Grain: one version of a customer's document.
create or replace view analytics.document_version as
select
    me_status_history.version_id,
    me_status_history.customer_id,
    me_status_history.valid_from,
    me_status_history.valid_to,
    cast(me_status_history.valid_from at time zone settings.zone as date) as valid_from_on,
    extract(epoch from me_status_history.valid_to - me_status_history.valid_from) as seconds,
    me_status_history.run_id,
    me_status_history.content_hash,
    me_status_history.eligibility_status,
    me_status_history.verification_status,
    me_status_history.payment_method_count,
    me_status_history.active_service_count,
    me_status_history.open_order_count,
    me_status_history.open_case_count,
    me_status_history.unpaid_invoice_count,
    me_status_history.overdue_invoice_count,
    me_status_history.amount_due,
    me_status_history.currency,
    me_status_history.next_invoice_due_date,
    me_status_history.task_count,
    me_status_history.top_task_type,
    pg_column_size(me_status_history.document) as stored_bytes
from public.me_status_history
cross join analytics.settings
where me_status_history.valid_to is distinct from me_status_history.valid_from;
comment on view analytics.document_version is 'One row per version of a document that held for any time, without the document: me_status_history has it. Measured: one customer at once, all in 4 s per million.';
comment on column analytics.document_version.version_id is 'Key.';
comment on column analytics.document_version.customer_id is 'The customer.';
comment on column analytics.document_version.valid_from is 'Served from here on.';
comment on column analytics.document_version.valid_to is 'Served until just before; null while it holds.';
comment on column analytics.document_version.valid_from_on is 'Business day of valid_from.';
comment on column analytics.document_version.seconds is 'How long it held; null while it does.';
comment on column analytics.document_version.run_id is 'The run that wrote it.';
comment on column analytics.document_version.content_hash is 'Hash of the document.';
comment on column analytics.document_version.eligibility_status is 'As me_status had it; null when not known.';
comment on column analytics.document_version.verification_status is 'As me_status had it; null when not known.';
comment on column analytics.document_version.payment_method_count is 'As me_status had it; null when not known.';
comment on column analytics.document_version.active_service_count is 'As me_status had it; null when not known.';
comment on column analytics.document_version.open_order_count is 'As me_status had it; null when not known.';
comment on column analytics.document_version.open_case_count is 'As me_status had it; null when not known.';
comment on column analytics.document_version.unpaid_invoice_count is 'As me_status had it; null when not known.';
comment on column analytics.document_version.overdue_invoice_count is 'As me_status had it; null when not known.';
comment on column analytics.document_version.amount_due is 'As me_status had it; null when not known.';
comment on column analytics.document_version.currency is 'As me_status had it; null when not known.';
comment on column analytics.document_version.next_invoice_due_date is 'Due date of the oldest unpaid invoice then.';
comment on column analytics.document_version.task_count is 'How many tasks.';
comment on column analytics.document_version.top_task_type is 'Type of the first task; null when there was none.';
comment on column analytics.document_version.stored_bytes is 'Bytes the document takes in the table, as stored.';
