-- Grain: one customer and review cycle, from submitted to its outcome.
create or replace view analytics.verification as
select
    time_in_status.entity_id as customer_id,
    time_in_status.entered_at as submitted_at,
    cast(time_in_status.entered_at at time zone settings.zone as date) as submitted_on,
    time_in_status.left_at as reviewed_at,
    cast(time_in_status.left_at at time zone settings.zone as date) as reviewed_on,
    case when time_in_status.is_current then 'open' else time_in_status.next_status end as outcome,
    time_in_status.hours,
    time_in_status.clock,
    time_in_status.is_first_observation
from analytics.time_in_status
cross join analytics.settings
where
    time_in_status.entity = 'account'
    and time_in_status.field = 'verification_status'
    and time_in_status.status = 'submitted';
comment on view analytics.verification is 'One row per customer and cycle: from submitted to its outcome. A cycle that began and ended between two pulls is not seen. Reads every account and transition of accounts. Measured: 15 s over 500,000 accounts.';
comment on column analytics.verification.customer_id is 'The customer.';
comment on column analytics.verification.submitted_at is 'When it was submitted; null when neither clock knows.';
comment on column analytics.verification.submitted_on is 'Business day of submitted_at.';
comment on column analytics.verification.reviewed_at is 'When it was reviewed; null while it is open.';
comment on column analytics.verification.reviewed_on is 'Business day of reviewed_at.';
comment on column analytics.verification.outcome is 'The status it ended in; gone when its account left its source in it; open while it lasts.';
comment on column analytics.verification.hours is 'Hours from submitted to reviewed, by one clock; null while open.';
comment on column analytics.verification.clock is 'source, observed or none, as in time_in_status.';
comment on column analytics.verification.is_first_observation is 'True for a cycle that was under way when the customer was first seen: its submitted status is no transition.';
