-- Notifications sent by type: today, yesterday, and on an average day of the two weeks before; business zone.
-- :zone  the business zone
with sent as (
    select
        sent_count.type,
        sent_count.sent,
        cast(now() at time zone cast(:zone as text) as date)
        - cast(sent_count.sent_at at time zone cast(:zone as text) as date) as days_ago
    from pipeline.sent_count
    where sent_count.sent_at > now() - interval '16 days'
)

select
    sent.type,
    coalesce(sum(sent.sent) filter (where sent.days_ago = 0), 0) as today,
    coalesce(sum(sent.sent) filter (where sent.days_ago = 1), 0) as yesterday,
    cast(coalesce(sum(sent.sent) filter (where sent.days_ago between 1 and 14), 0) / 14.0 as float8) as usual
from sent
group by sent.type
order by sent.type
