-- Begins, at the run's now, a version of each document that the rows of pg_temp.computed have put into me_status.
-- :now  the run's now
-- :run_id  the run
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
    cast(:now as timestamptz),
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
    cast(:run_id as bigint)
from pg_temp.computed
inner join me_status
    on me_status.customer_id = computed.customer_id and me_status.content_hash = computed.content_hash
where not exists (
    select 1
    from me_status_history as served
    where served.customer_id = computed.customer_id and served.valid_to is null
)
