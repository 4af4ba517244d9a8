-- The last verdict that was noted: how many there were, and whether it said healthy; no row before the first.
select
    (select count(*) from pipeline.alert as verdict where verdict.kind = 'health') as verdicts,
    cast(alert.detail -> 'data' ->> 'healthy' as boolean) as is_healthy
from pipeline.alert
where alert.kind = 'health'
order by alert.alert_id desc
limit 1
