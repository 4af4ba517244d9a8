-- What was decided for the customer :customer_id and not sent, newest first, at most :at_most, and what waits in held runs.
select type, source_id, swallowed_at, reason, passes_at, run_id
from pipeline.swallowed_notification
where customer_id = :customer_id
union all
select type, source_id, decided_at, case when is_held then 'waits in a held run' else 'about to be sent' end, null, run_id
from pipeline.notification_outbox
where customer_id = :customer_id
order by swallowed_at desc
limit :at_most;
