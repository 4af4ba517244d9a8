-- Grain: one source and business day.
create or replace view analytics.source_freshness as
with good as (
    select
        substr(job_run.job, 6) as source,
        job_run.started_at,
        lead(job_run.started_at) over (partition by job_run.job order by job_run.started_at) as next_at
    from public.job_run
    where job_run.job in ('sync-salesforce', 'sync-whmcs') and job_run.outcome in ('succeeded', 'held', 'discarded')
),

covered as (
    select
        good.source,
        good.started_at,
        good.next_at,
        least(
            coalesce(good.next_at, 'infinity'),
            good.started_at + make_interval(mins => case good.source
                when 'salesforce' then settings.salesforce_freshness_minutes
                else settings.whmcs_freshness_minutes
            end),
            settings.as_of
        ) as fresh_until
    from good
    cross join analytics.settings
),

day_of_source as (
    select
        source.source,
        business_day.day,
        greatest(business_day.starts_at, source.first_at) as starts_at,
        least(business_day.ends_at, settings.as_of) as ends_at
    from (select good.source, min(good.started_at) as first_at from good group by good.source) as source
    cross join analytics.settings
    inner join analytics.business_day on business_day.ends_at > source.first_at
    where business_day.day >= coalesce(settings.runs_whole_from, '-infinity')
)

select
    day_of_source.source,
    day_of_source.day,
    count(*) filter (
        where covered.started_at >= day_of_source.starts_at and covered.started_at < day_of_source.ends_at
    ) as good_syncs,
    max(extract(epoch from covered.next_at - covered.started_at) / 60) as longest_minutes_between,
    extract(epoch from day_of_source.ends_at - day_of_source.starts_at) / 60 as minutes,
    coalesce(sum(
        extract(epoch from
            least(covered.fresh_until, day_of_source.ends_at) - greatest(covered.started_at, day_of_source.starts_at)
        ) / 60
    ) filter (where covered.fresh_until > day_of_source.starts_at), 0) as minutes_fresh,
    coalesce(sum(
        extract(epoch from
            least(covered.fresh_until, day_of_source.ends_at) - greatest(covered.started_at, day_of_source.starts_at)
        )
    ) filter (where covered.fresh_until > day_of_source.starts_at), 0)
    / nullif(extract(epoch from day_of_source.ends_at - day_of_source.starts_at), 0) as share_fresh
from day_of_source
left join covered
    on covered.source = day_of_source.source
    and covered.started_at < day_of_source.ends_at
    and coalesce(covered.next_at, 'infinity') > day_of_source.starts_at
group by day_of_source.source, day_of_source.day, day_of_source.starts_at, day_of_source.ends_at;
comment on view analytics.source_freshness is 'One row per source and business day: for what share of it the last good sync was within the freshness limit, a service level. The first day counts from the first good sync kept, today up to settings.as_of.';
comment on column analytics.source_freshness.source is 'salesforce or whmcs.';
comment on column analytics.source_freshness.day is 'Business day.';
comment on column analytics.source_freshness.good_syncs is 'Good syncs that began on it.';
comment on column analytics.source_freshness.longest_minutes_between is 'The longest time from one good sync to the next that touches the day, in minutes; null when none followed.';
comment on column analytics.source_freshness.minutes is 'Minutes of the day that count.';
comment on column analytics.source_freshness.minutes_fresh is 'Of these, minutes within the limit of the settings in force now.';
comment on column analytics.source_freshness.share_fresh is 'minutes_fresh over minutes, 0 to 1; null when no minute counts yet.';
