-- Notifications sent by type: today, yesterday, and on a usual day, the median of the fourteen before; business zone.
-- :zone  the business zone
with sent as (
    select
        sent_count.type,
        cast(now() at time zone cast(:zone as text) as date)
        - cast(sent_count.sent_at at time zone cast(:zone as text) as date) as days_ago,
        sum(sent_count.sent) as sent
    from pipeline.sent_count
    where sent_count.sent_at > now() - interval '16 days'
    group by sent_count.type, days_ago
),

type_day as (
    select
        known.type,
        days.days_ago,
        coalesce(sent.sent, 0) as sent
    from (select distinct recent.type from sent as recent where recent.days_ago <= 14) as known
    cross join generate_series(0, 14) as days (days_ago)
    left join sent on sent.type = known.type and sent.days_ago = days.days_ago
)

select
    type_day.type,
    sum(type_day.sent) filter (where type_day.days_ago = 0) as today,
    sum(type_day.sent) filter (where type_day.days_ago = 1) as yesterday,
    percentile_cont(0.5) within group (order by cast(type_day.sent as float8))
    filter (where type_day.days_ago > 0) as usual
from type_day
group by type_day.type
order by type_day.type
