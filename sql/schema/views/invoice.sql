-- Grain: one WHMCS invoice as last read.
create or replace view analytics.invoice as
select
    invoice.invoice_id,
    invoice.client_id,
    linked_client.customer_id,
    invoice.status,
    case
        when invoice.status = 'Unpaid' then 'owed'
        when invoice.status = 'Paid' then 'settled'
        when invoice.status in ('Cancelled', 'Refunded') then 'void'
        when invoice.status = 'Draft' then 'draft'
        when invoice.status in ('Payment Pending', 'Collections') then 'elsewhere'
        else 'unknown'
    end as status_class,
    coalesce(
        invoice.status = 'Unpaid'
        and not coalesce(balance.is_mass_pay, false)
        and coalesce(balance.balance, invoice.total, 1) > 0,
        false
    ) as is_receivable,
    invoice.invoiced_on,
    invoice.due_on,
    invoice.paid_at,
    cast(invoice.paid_at at time zone settings.zone as date) as paid_on,
    invoice.total,
    coalesce(balance.balance, invoice.total) as balance,
    invoice.currency,
    case
        when invoice.status = 'Unpaid' and invoice.due_on is not null then greatest(settings.today - invoice.due_on, 0)
    end as days_overdue,
    case
        when invoice.status = 'Unpaid' then analytics.age_bucket(invoice.due_on, settings.today)
    end as age_bucket,
    invoice.created_at,
    coalesce(balance.is_mass_pay, false) as is_mass_pay
from snapshot.invoice
cross join analytics.settings
left join snapshot.balance on balance.invoice_id = invoice.invoice_id
left join analytics.linked_client on linked_client.client_id = invoice.client_id;
comment on view analytics.invoice is 'One row per WHMCS invoice as last read, those of clients that nobody is linked to included. Measured: one customer at once, all in 11 s over 2.5 million.';
comment on column analytics.invoice.invoice_id is 'Key.';
comment on column analytics.invoice.client_id is 'The client billed.';
comment on column analytics.invoice.customer_id is 'The customer it is served to; null when the client is linked to none, or in doubt.';
comment on column analytics.invoice.status is 'Status as WHMCS words it.';
comment on column analytics.invoice.status_class is 'owed (Unpaid), settled (Paid), void (Cancelled, Refunded), draft, elsewhere (Payment Pending, Collections) or unknown.';
comment on column analytics.invoice.is_receivable is 'True for what counts as owed: Unpaid, with a balance above 0 or one that is not known, and not a Mass Pay invoice.';
comment on column analytics.invoice.invoiced_on is 'Invoice date.';
comment on column analytics.invoice.due_on is 'Due date; null when it has none.';
comment on column analytics.invoice.paid_at is 'When it was paid, by the source''s clock; null while it is not.';
comment on column analytics.invoice.paid_on is 'Business day of paid_at.';
comment on column analytics.invoice.total is 'Total, in currency.';
comment on column analytics.invoice.balance is 'What is still to pay, in currency: as WHMCS said when asked for this invoice, its total until then; null when not known.';
comment on column analytics.invoice.currency is 'ISO 4217 code; null when the source does not say.';
comment on column analytics.invoice.days_overdue is 'Days from the due date to settings.today, 0 when not overdue; null unless Unpaid, and without a due date.';
comment on column analytics.invoice.age_bucket is 'Band of days_overdue, as analytics.age_bucket has them; null unless Unpaid.';
comment on column analytics.invoice.created_at is 'When the row was made in WHMCS; null in old builds.';
comment on column analytics.invoice.is_mass_pay is 'True for an invoice over other invoices, which repeats them and counts nowhere.';
