-- Grain: one customer and business day, as its document stood at the end of the day.
create or replace view analytics.customer_day as
select
    business_day.day,
    me_status_history.customer_id,
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
    case
        when me_status_history.unpaid_invoice_count is null then 'not known'
        when me_status_history.unpaid_invoice_count = 0 then 'nothing owed'
        else analytics.age_bucket(me_status_history.next_invoice_due_date, business_day.day)
    end as age_bucket,
    me_status_history.task_count,
    coalesce(me_status_history.top_task_type, 'none') as top_task_type,
    me_status_history.version_id
from analytics.business_day
inner join public.me_status_history
    on me_status_history.valid_from < business_day.ends_at
    and (me_status_history.valid_to is null or me_status_history.valid_to >= business_day.ends_at);
comment on view analytics.customer_day is 'One row per customer and business day: the state at the end of the day, today''s as it is now. Ask for one day, or for one customer: the whole has customers times days rows. Days before settings.history_whole_from are not whole. Measured: one customer at once, one day 7 s over 500,000 customers.';
comment on column analytics.customer_day.day is 'Business day.';
comment on column analytics.customer_day.customer_id is 'The customer.';
comment on column analytics.customer_day.eligibility_status is 'At the end of the day; null when not known.';
comment on column analytics.customer_day.verification_status is 'At the end of the day; null when not known.';
comment on column analytics.customer_day.payment_method_count is 'At the end of the day; null when not known.';
comment on column analytics.customer_day.active_service_count is 'At the end of the day; null when not known.';
comment on column analytics.customer_day.open_order_count is 'At the end of the day; null when not known.';
comment on column analytics.customer_day.open_case_count is 'At the end of the day; null when not known.';
comment on column analytics.customer_day.unpaid_invoice_count is 'At the end of the day; null when not known.';
comment on column analytics.customer_day.overdue_invoice_count is 'At the end of the day; null when not known.';
comment on column analytics.customer_day.amount_due is 'At the end of the day; null when not known.';
comment on column analytics.customer_day.currency is 'At the end of the day; null when not known.';
comment on column analytics.customer_day.age_bucket is 'How long the oldest unpaid invoice was overdue that day, in the bands of analytics.age_bucket; nothing owed or not known.';
comment on column analytics.customer_day.task_count is 'How many tasks.';
comment on column analytics.customer_day.top_task_type is 'Type of the first task; none for customers without one.';
comment on column analytics.customer_day.version_id is 'The version that held.';
