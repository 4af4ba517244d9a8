-- Grain: one span of time in which a customer had a task.
create or replace view analytics.task as
with listed as (
    select
        me_status_history.customer_id,
        task.entry ->> 'id' as task_id,
        task.entry ->> 'type' as type,
        coalesce(
            task.entry -> 'about' ->> 'invoiceId',
            task.entry -> 'about' ->> 'orderId',
            me_status_history.customer_id
        ) as source_id,
        me_status_history.valid_from,
        me_status_history.valid_to,
        me_status_history.version_id
    from public.me_status_history
    cross join lateral json_array_elements(me_status_history.document -> 'tasks') as task (entry)
    where me_status_history.valid_to is distinct from me_status_history.valid_from
),

marked as (
    select
        listed.*,
        lag(listed.valid_to) over (
            partition by listed.customer_id, listed.task_id order by listed.valid_from, listed.version_id
        ) is distinct from listed.valid_from as is_start
    from listed
),

numbered as (
    select
        marked.*,
        count(*) filter (where marked.is_start) over (
            partition by marked.customer_id, marked.task_id order by marked.valid_from, marked.version_id
        ) as span
    from marked
)

select
    numbered.customer_id,
    numbered.task_id,
    min(numbered.type) as type,
    min(numbered.source_id) as source_id,
    min(numbered.valid_from) as since,
    case when bool_or(numbered.valid_to is null) then null else max(numbered.valid_to) end as until,
    cast(min(numbered.valid_from) at time zone min(settings.zone) as date) as since_on,
    extract(
        epoch from case when bool_or(numbered.valid_to is null) then null else max(numbered.valid_to) end
        - min(numbered.valid_from)
    ) / 3600 as hours
from numbered
cross join analytics.settings
group by numbered.customer_id, numbered.task_id, numbered.span;
comment on view analytics.task is 'One row per task of a customer and span in which every version of the document listed it. Takes each document apart, so filter on customer_id, or export it. Measured: one customer at once, all in 20 s per million versions.';
comment on column analytics.task.customer_id is 'The customer.';
comment on column analytics.task.task_id is 'The task''s id in the document, such as invoice-1042.';
comment on column analytics.task.type is 'invoice_due, add_payment_method, order_in_progress, eligibility_pending, verification_rejected or onboarding.';
comment on column analytics.task.source_id is 'The invoice or order it is about; else the customer.';
comment on column analytics.task.since is 'From when the document listed it.';
comment on column analytics.task.until is 'Until when; null while it does.';
comment on column analytics.task.since_on is 'Business day of since.';
comment on column analytics.task.hours is 'Hours from since to until; null while it lasts.';
