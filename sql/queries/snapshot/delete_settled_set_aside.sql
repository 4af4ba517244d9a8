-- Forgets the balances set aside of invoices that are not unpaid any more; returns the clients.
delete from pipeline.set_aside_record
where
    set_aside_record.stream = 'balance'
    and not exists (
        select 1 from snapshot.invoice
        where cast(invoice.invoice_id as text) = set_aside_record.record_id and invoice.status = 'Unpaid'
    )
returning set_aside_record.owner_id
