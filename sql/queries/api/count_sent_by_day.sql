-- Notifications sent on each of the last days, empty days included, oldest first.
-- :zone  business time zone, IANA name
-- :days  how many days, today included
with days as (
    select cast(day as date) as day
    from generate_series(
        cast(now() at time zone cast(:zone as text) as date) - cast(:days as integer) + 1,
        cast(now() at time zone cast(:zone as text) as date),
        interval '1 day'
    ) as day
),

sent as (
    select
        cast(sent_at at time zone cast(:zone as text) as date) as day,
        sum(sent) as sent
    from pipeline.sent_count
    group by 1
)

select
    days.day,
    cast(coalesce(sent.sent, 0) as bigint) as sent
from days
left join sent on sent.day = days.day
order by days.day
