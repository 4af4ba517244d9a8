-- When each stream was last read for one customer: whole, by itself because of a hint, or in its turn; null: never.
-- :account_id  Account id of the customer
-- :client_id   its WHMCS client; null when it has none
select
    stream_state.stream,
    stream_state.synced_at,
    least(
        case
            when stream_state.stream = 'pay_method'
                then
                    (
                        select pay_method_reading.read_at
                        from pipeline.pay_method_reading
                        where pay_method_reading.client_id = cast(:client_id as bigint)
                    )
            when stream_state.stream = 'balance'
                then
                    (
                        select min(balance_reading.read_at)
                        from snapshot.invoice
                        inner join pipeline.balance_reading on balance_reading.invoice_id = invoice.invoice_id
                        where invoice.client_id = cast(:client_id as bigint) and invoice.status = 'Unpaid'
                    )
            else greatest(stream_state.read_at, nullif(owner_reading.read_at, '-infinity'))
        end,
        (
            select min(kept_row.read_at)
            from pipeline.kept_row
            where kept_row.owner_id = owner.owner_id and kept_row.stream = stream_state.stream
        )
    ) as read_at
from pipeline.stream_state
cross join
    lateral (
        select
            case
                when stream_state.stream in ('account', 'order', 'case') then cast(:account_id as text)
                else cast(cast(:client_id as bigint) as text)
            end as owner_id
    ) as owner
left join pipeline.owner_reading
    on owner_reading.owner_id = owner.owner_id and owner_reading.stream = stream_state.stream
order by stream_state.stream
