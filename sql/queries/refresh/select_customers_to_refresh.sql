-- Customers whose document or reminders may come out differently now, ascending.
-- Of reminders that are called for, those whose facts are too old to send them are left out, lest they are looked at
-- in every run.
-- :now           instant of the run
-- :are_invoices  whether invoices are fresh enough for reminders
-- :cards_since   from when pay methods must have been read for reminders
-- :card_days     how many days before its end a card is first notified
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
where
    me_status.next_notification_at <= :now
    and cast(:are_invoices as boolean)
    and exists (
        select 1 from snapshot.invoice
        where invoice.client_id = me_status.whmcs_client_id and invoice.status = 'Unpaid'
    )
union
select me_status.customer_id
from me_status
inner join pipeline.pay_method_reading on pay_method_reading.client_id = me_status.whmcs_client_id
where
    me_status.next_notification_at <= :now
    and pay_method_reading.read_at >= :cards_since
    and exists (
        select 1 from snapshot.pay_method
        where
            pay_method.client_id = me_status.whmcs_client_id
            and pay_method.expires_on >= cast(cast(:now as timestamptz) as date) - 1
            and pay_method.expires_on <= cast(cast(:now as timestamptz) as date) + 1 + cast(:card_days as integer)
    )
order by customer_id
