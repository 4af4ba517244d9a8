-- What was served to whom, when: each document with the time it held. The figures of me_status stand beside it, so that
-- questions about past days need not take documents apart.

create table me_status_history (
    version_id bigint generated always as identity primary key,
    customer_id text collate "C" not null,
    valid_from timestamptz not null,
    valid_to timestamptz,
    eligibility_status text not null,
    verification_status text not null,
    payment_method_count integer,
    active_service_count integer,
    open_order_count integer,
    open_case_count integer,
    unpaid_invoice_count integer,
    overdue_invoice_count integer,
    amount_due numeric,
    currency text,
    next_invoice_due_date date,
    task_count integer not null,
    top_task_type text,
    document json not null,
    content_hash text not null,
    run_id bigint not null,
    constraint me_status_history_validity check (valid_to >= valid_from)
);
create unique index me_status_history_open on me_status_history (customer_id) where valid_to is null;
create index me_status_history_customer on me_status_history (customer_id, valid_to);
comment on table me_status_history is 'What was served, byte for byte, and when: one row per customer and version of the document. Versions of a customer never overlap.';
comment on column me_status_history.version_id is 'Key, ascending in the order of writing.';
comment on column me_status_history.customer_id is 'The customer: the Salesforce Account id, 18 characters.';
comment on column me_status_history.valid_from is 'Served from here on: the now of the run that wrote it.';
comment on column me_status_history.valid_to is 'Served until just before; null while it holds. Equal to valid_from where another run replaced it at the same now, or at an earlier one.';
comment on column me_status_history.eligibility_status is 'As me_status had it: not_requested, pending, eligible, ineligible or unknown.';
comment on column me_status_history.verification_status is 'As me_status had it: not_submitted, submitted, verified, rejected or unknown.';
comment on column me_status_history.payment_method_count is 'As me_status had it; null when not known.';
comment on column me_status_history.active_service_count is 'As me_status had it; null when not known.';
comment on column me_status_history.open_order_count is 'As me_status had it; null when not known.';
comment on column me_status_history.open_case_count is 'As me_status had it; null when not known.';
comment on column me_status_history.unpaid_invoice_count is 'As me_status had it; null when not known.';
comment on column me_status_history.overdue_invoice_count is 'As me_status had it; null when not known.';
comment on column me_status_history.amount_due is 'As me_status had it, in currency; null when not known.';
comment on column me_status_history.currency is 'As me_status had it: ISO 4217 code; null when there is none to name.';
comment on column me_status_history.next_invoice_due_date is 'Due date of the oldest unpaid invoice then; null when there was none.';
comment on column me_status_history.task_count is 'How many tasks the document lists.';
comment on column me_status_history.top_task_type is 'Type of the first task; null when there is none.';
comment on column me_status_history.document is 'The document as it was served, byte for byte, without its freshness part.';
comment on column me_status_history.content_hash is 'Hash of document, as me_status had it.';
comment on column me_status_history.run_id is 'The run that wrote it.';

do $$
begin
    alter table me_status_history alter column document set compression lz4;
exception
    when feature_not_supported then
        raise notice 'this server is built without lz4; documents are compressed by its default';
end
$$;

insert into me_status_history (
    customer_id,
    valid_from,
    eligibility_status,
    verification_status,
    payment_method_count,
    active_service_count,
    open_order_count,
    open_case_count,
    unpaid_invoice_count,
    overdue_invoice_count,
    amount_due,
    currency,
    next_invoice_due_date,
    task_count,
    top_task_type,
    document,
    content_hash,
    run_id
)
select
    me_status.customer_id,
    me_status.computed_at,
    me_status.eligibility_status,
    me_status.verification_status,
    me_status.payment_method_count,
    me_status.active_service_count,
    me_status.open_order_count,
    me_status.open_case_count,
    me_status.unpaid_invoice_count,
    me_status.overdue_invoice_count,
    me_status.amount_due,
    me_status.currency,
    me_status.next_invoice_due_date,
    me_status.task_count,
    me_status.top_task_type,
    me_status.document,
    me_status.content_hash,
    me_status.run_id
from me_status
order by me_status.customer_id;
