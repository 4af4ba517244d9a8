-- Views for the questions people ask of the published tables, and a role that sees them and nothing else.

comment on table schema_version is 'Alembic''s note of the schema''s revision.';
comment on column schema_version.version_num is 'The newest revision that was run.';

create view analytics.customers_by_state as
select
    me_status.eligibility_status,
    me_status.verification_status,
    coalesce(me_status.top_task_type, 'none') as top_task_type,
    count(*) as customers
from public.me_status
group by me_status.eligibility_status, me_status.verification_status, coalesce(me_status.top_task_type, 'none');
comment on view analytics.customers_by_state is 'How many customers are in which state, by eligibility, verification and first task.';
comment on column analytics.customers_by_state.eligibility_status is 'Internet eligibility.';
comment on column analytics.customers_by_state.verification_status is 'Residence-card verification.';
comment on column analytics.customers_by_state.top_task_type is 'Type of the first task; none for customers without one.';
comment on column analytics.customers_by_state.customers is 'How many customers.';

create view analytics.overdue_by_age as
with next_invoice as (
    select
        me_status.currency,
        me_status.next_invoice_amount,
        (current_date - me_status.next_invoice_due_date) as days_overdue
    from public.me_status
    where me_status.overdue_invoice_count > 0 and me_status.next_invoice_due_date < current_date
)

select
    case
        when next_invoice.days_overdue <= 7 then '01-07 days'
        when next_invoice.days_overdue <= 30 then '08-30 days'
        when next_invoice.days_overdue <= 60 then '31-60 days'
        when next_invoice.days_overdue <= 90 then '61-90 days'
        else 'over 90 days'
    end as age,
    next_invoice.currency,
    count(*) as customers,
    sum(next_invoice.next_invoice_amount) as oldest_invoices_amount
from next_invoice
group by 1, next_invoice.currency;
comment on view analytics.overdue_by_age is 'Customers with an overdue invoice by the age of the oldest one; ages by the date in UTC.';
comment on column analytics.overdue_by_age.age is 'Days since the oldest unpaid invoice was due, in bands.';
comment on column analytics.overdue_by_age.currency is 'ISO 4217 code.';
comment on column analytics.overdue_by_age.customers is 'How many customers.';
comment on column analytics.overdue_by_age.oldest_invoices_amount is 'Sum of these oldest invoices, in currency.';

create view analytics.amount_due_by_currency as
select
    me_status.currency,
    count(*) as customers,
    sum(me_status.unpaid_invoice_count) as unpaid_invoices,
    sum(me_status.amount_due) as amount_due
from public.me_status
where me_status.unpaid_invoice_count > 0
group by me_status.currency;
comment on view analytics.amount_due_by_currency is 'What customers owe, by currency.';
comment on column analytics.amount_due_by_currency.currency is 'ISO 4217 code; null for customers whose invoices name none, or several.';
comment on column analytics.amount_due_by_currency.customers is 'Customers with an unpaid invoice.';
comment on column analytics.amount_due_by_currency.unpaid_invoices is 'Their unpaid invoices.';
comment on column analytics.amount_due_by_currency.amount_due is 'Sum of the totals, in currency; null where the currency is.';

create view analytics.transitions_per_day as
select
    cast(status_transition.observed_at at time zone 'UTC' as date) as observed_on,
    status_transition.entity,
    status_transition.field,
    status_transition.old_value,
    status_transition.new_value,
    count(*) as transitions
from public.status_transition
group by 1, 2, 3, 4, 5;
comment on view analytics.transitions_per_day is 'Transitions by day, in UTC. Between two pulls only the end of the way a status went is seen.';
comment on column analytics.transitions_per_day.observed_on is 'Day of observation, in UTC.';
comment on column analytics.transitions_per_day.entity is 'account, order, service, invoice or case.';
comment on column analytics.transitions_per_day.field is 'Which of its fields changed.';
comment on column analytics.transitions_per_day.old_value is 'The last known value before.';
comment on column analytics.transitions_per_day.new_value is 'The value after.';
comment on column analytics.transitions_per_day.transitions is 'How many.';

create view analytics.notification_funnel as
select
    notification.type,
    count(*) as sent,
    count(notification.read_at) as read,
    count(notification.dismissed_at) as dismissed,
    count(notification.resolved_at) as resolved,
    count(*) filter (where notification.read_at is null and notification.resolved_at is not null) as resolved_unread,
    percentile_cont(0.5) within group (order by notification.read_at - notification.created_at) as median_time_to_read
from public.notification
group by notification.type;
comment on view analytics.notification_funnel is 'What becomes of notifications, by type.';
comment on column analytics.notification_funnel.type is 'One of the twelve types.';
comment on column analytics.notification_funnel.sent is 'How many were sent.';
comment on column analytics.notification_funnel.read is 'Of these, how many were read.';
comment on column analytics.notification_funnel.dismissed is 'Of these, how many were dismissed.';
comment on column analytics.notification_funnel.resolved is 'Of these, for how many what they speak of is over.';
comment on column analytics.notification_funnel.resolved_unread is 'Resolved without having been read.';
comment on column analytics.notification_funnel.median_time_to_read is 'Median time from sending to reading.';

create view analytics.notifications_per_day as
select
    cast(notification.created_at at time zone 'UTC' as date) as sent_on,
    notification.type,
    count(*) as sent,
    count(distinct notification.customer_id) as customers
from public.notification
group by 1, 2;
comment on view analytics.notifications_per_day is 'Notifications sent by day, in UTC, and type.';
comment on column analytics.notifications_per_day.sent_on is 'Day of sending, in UTC.';
comment on column analytics.notifications_per_day.type is 'One of the twelve types.';
comment on column analytics.notifications_per_day.sent is 'How many were sent.';
comment on column analytics.notifications_per_day.customers is 'To how many customers.';

create view analytics.run_history as
select
    job_run.run_id,
    job_run.job,
    job_run.due_at,
    job_run.started_at,
    job_run.finished_at - job_run.started_at as duration,
    job_run.started_at - job_run.due_at as delay,
    job_run.outcome,
    job_run.error
from public.job_run;
comment on view analytics.run_history is 'Runs with how long they took and how late they started.';
comment on column analytics.run_history.run_id is 'Key, ascending in the order of starting.';
comment on column analytics.run_history.job is 'Which job.';
comment on column analytics.run_history.due_at is 'The slot it filled; null by hand.';
comment on column analytics.run_history.started_at is 'When it started.';
comment on column analytics.run_history.duration is 'How long it took; null while it runs.';
comment on column analytics.run_history.delay is 'How long after its slot it started; null by hand.';
comment on column analytics.run_history.outcome is 'running, succeeded, failed, held or discarded.';
comment on column analytics.run_history.error is 'Why it failed or was held.';

create view analytics.time_in_status as
with step as (
    select
        status_transition.entity,
        status_transition.entity_id,
        status_transition.customer_id,
        status_transition.field,
        status_transition.new_value as status,
        coalesce(status_transition.source_changed_at, status_transition.observed_at) as entered_at,
        lead(coalesce(status_transition.source_changed_at, status_transition.observed_at)) over (
            partition by status_transition.entity, status_transition.entity_id, status_transition.field
            order by status_transition.transition_id
        ) as left_at
    from public.status_transition
)

select
    step.entity,
    step.entity_id,
    step.customer_id,
    step.field,
    step.status,
    step.entered_at,
    step.left_at,
    step.left_at - step.entered_at as time_in_status
from step;
comment on view analytics.time_in_status is 'Each status that was entered since the baseline, and how long it lasted.';
comment on column analytics.time_in_status.entity is 'account, order, service, invoice or case.';
comment on column analytics.time_in_status.entity_id is 'Its id in its source.';
comment on column analytics.time_in_status.customer_id is 'The customer concerned; null when there was none.';
comment on column analytics.time_in_status.field is 'Which field.';
comment on column analytics.time_in_status.status is 'The status.';
comment on column analytics.time_in_status.entered_at is 'When it was entered: by the source''s clock where it says, else when observed.';
comment on column analytics.time_in_status.left_at is 'When it was left; null while it lasts.';
comment on column analytics.time_in_status.time_in_status is 'How long it lasted; null while it lasts.';

create view analytics.link_problems as
select
    link_problem.problem,
    link_problem.customer_id,
    link_problem.client_id
from pipeline.link_problem;
comment on view analytics.link_problems is 'Customers and WHMCS clients whose link is in doubt, none of whom is shown billing data, and clients that no customer claims.';
comment on column analytics.link_problems.problem is 'conflict (one row per claim), dangling (the client is not there) or unlinked_client (nobody claims it).';
comment on column analytics.link_problems.customer_id is 'The customer; null for an unlinked client.';
comment on column analytics.link_problems.client_id is 'The WHMCS client named.';

do $$
begin
    if not exists (select from pg_roles where rolname = 'me_status_analyst') then
        create role me_status_analyst nologin;
    end if;
exception
    when insufficient_privilege then
        raise notice 'role me_status_analyst cannot be created by %; create it and grant it what follows', current_user;
    when duplicate_object or unique_violation then
        null;
end
$$;

do $$
begin
    if exists (select from pg_roles where rolname = 'me_status_analyst') then
        grant usage on schema public, analytics to me_status_analyst;
        grant select on all tables in schema analytics to me_status_analyst;
        grant select on public.me_status, public.status_transition, public.notification, public.job_run
        to me_status_analyst;
    end if;
end
$$;
