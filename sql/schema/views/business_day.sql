-- Grain: one business day, from the first that anything is known of to today.
create or replace view analytics.business_day as
with bounds as (
    select
        settings.zone,
        settings.today,
        cast(least(
            (select min(job_run.started_at) from public.job_run),
            (select min(notification.created_at) from public.notification),
            (
                select me_status_history.valid_from
                from public.me_status_history
                order by me_status_history.version_id
                limit 1
            )
        ) at time zone settings.zone as date) as first_day
    from analytics.settings
)

select
    cast(counted.day as date) as day,
    cast(counted.day as timestamp) at time zone bounds.zone as starts_at,
    cast(counted.day + interval '1 day' as timestamp) at time zone bounds.zone as ends_at
from bounds
cross join lateral generate_series(
    cast(bounds.first_day as timestamp), cast(bounds.today as timestamp), interval '1 day'
) as counted (day);
comment on view analytics.business_day is 'One row per business day, from the first that a run, notification or version is known of to settings.today.';
comment on column analytics.business_day.day is 'Key: the date in settings.zone.';
comment on column analytics.business_day.starts_at is 'Its first instant.';
comment on column analytics.business_day.ends_at is 'The first instant of the day after: 23, 24 or 25 hours later.';
