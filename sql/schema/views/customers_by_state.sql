-- Grain: one eligibility, verification and first task.
create or replace view analytics.customers_by_state as
select
    me_status.eligibility_status,
    me_status.verification_status,
    coalesce(me_status.top_task_type, 'none') as top_task_type,
    count(*) as customers
from public.me_status
group by me_status.eligibility_status, me_status.verification_status, coalesce(me_status.top_task_type, 'none');
comment on view analytics.customers_by_state is 'One row per eligibility, verification and first task: how many customers are in that state.';
comment on column analytics.customers_by_state.eligibility_status is 'Internet eligibility: not_requested, pending, eligible, ineligible or unknown.';
comment on column analytics.customers_by_state.verification_status is 'Residence-card verification: not_submitted, submitted, verified, rejected or unknown.';
comment on column analytics.customers_by_state.top_task_type is 'Type of the first task; none for customers without one.';
comment on column analytics.customers_by_state.customers is 'How many customers.';
