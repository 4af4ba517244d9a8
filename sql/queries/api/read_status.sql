-- What GET /api/me/status serves: one customer's stored document, and when the facts it rests on were last read.
-- :customer_id  Account id of the customer
with own as (
    select
        me_status.customer_id,
        me_status.document,
        me_status.content_hash,
        me_status.computed_at,
        me_status.whmcs_client_id
    from me_status
    where me_status.customer_id = :customer_id
),

stream_read as (
    select
        stream_state.stream,
        least(
            greatest(stream_state.read_at, nullif(owner_reading.read_at, '-infinity')),
            (
                select min(set_aside_record.read_at)
                from pipeline.set_aside_record
                where
                    set_aside_record.owner_id = owner.owner_id
                    and set_aside_record.stream = stream_state.stream
                    and set_aside_record.is_known
            )
        ) as read_at
    from own
    cross join pipeline.stream_state
    cross join
        lateral (
            select
                case
                    when stream_state.stream in ('account', 'order', 'case') then own.customer_id
                    else cast(own.whmcs_client_id as text)
                end as owner_id
        ) as owner
    left join pipeline.owner_reading
        on owner_reading.owner_id = owner.owner_id and owner_reading.stream = stream_state.stream
)

select
    own.document,
    own.content_hash,
    own.computed_at,
    (select stream_read.read_at from stream_read where stream_read.stream = 'account') as account_at,
    (
        select case when count(stream_read.read_at) = 2 then min(stream_read.read_at) end
        from stream_read
        where stream_read.stream in ('order', 'case')
    ) as salesforce_at,
    (
        select case when count(stream_read.read_at) = 3 then min(stream_read.read_at) end
        from stream_read
        where stream_read.stream in ('client', 'invoice', 'service')
    ) as billing_at,
    (
        select
            least(
                pay_method_reading.read_at,
                (
                    select min(set_aside_record.read_at)
                    from pipeline.set_aside_record
                    where
                        set_aside_record.owner_id = cast(own.whmcs_client_id as text)
                        and set_aside_record.stream = 'pay_method'
                        and set_aside_record.is_known
                )
            )
        from pipeline.pay_method_reading
        where pay_method_reading.client_id = own.whmcs_client_id
    ) as pay_methods_at,
    (
        select min(balance_reading.read_at)
        from snapshot.invoice
        inner join pipeline.balance_reading on balance_reading.invoice_id = invoice.invoice_id
        where invoice.client_id = own.whmcs_client_id and invoice.status = 'Unpaid'
    ) as balances_at,
    own.whmcs_client_id is not null as has_client
from own
