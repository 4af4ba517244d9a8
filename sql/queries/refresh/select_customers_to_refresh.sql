-- Customers whose document or reminders may come out differently now, ascending.
-- :now       instant of the run
-- :is_fresh  whether reminders may be sent
select refresh_mark.customer_id
from pipeline.refresh_mark
union
select failed_customer.customer_id
from pipeline.failed_customer
where failed_customer.retry_at <= :now
union
select me_status.customer_id
from me_status
where me_status.next_change_at <= :now
union
select me_status.customer_id
from me_status
where cast(:is_fresh as boolean) and me_status.next_notification_at <= :now
order by customer_id
