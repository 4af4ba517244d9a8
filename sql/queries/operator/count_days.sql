-- Notifications sent and status transitions observed on each of the last fourteen days, oldest first; business zone.
-- :zone  the business zone
with days as (
    select cast(now() at time zone cast(:zone as text) as date) - ago.days as day
    from generate_series(13, 0, -1) as ago (days)
),

sent as (
    select
        cast(sent_count.sent_at at time zone cast(:zone as text) as date) as day,
        sum(sent_count.sent) as number
    from pipeline.sent_count
    where sent_count.sent_at > now() - interval '15 days'
    group by day
),

observed as (
    select
        cast(status_transition.observed_at at time zone cast(:zone as text) as date) as day,
        count(*) as number
    from status_transition
    where status_transition.observed_at > now() - interval '15 days'
    group by day
)

select
    days.day,
    cast(coalesce(sent.number, 0) as bigint) as notifications,
    coalesce(observed.number, 0) as transitions
from days
left join sent on sent.day = days.day
left join observed on observed.day = days.day
order by days.day
