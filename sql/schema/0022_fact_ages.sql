-- How old the document of a marked customer is: its facts are newer than it, so that their age is not the document's.

create view pipeline.fact_age as
select
    me_status.customer_id,
    lists.account_at,
    lists.salesforce_at,
    lists.billing_at,
    (
        select
            least(
                pay_method_reading.read_at,
                (
                    select min(set_aside_record.read_at)
                    from pipeline.set_aside_record
                    where
                        set_aside_record.owner_id = cast(me_status.whmcs_client_id as text)
                        and set_aside_record.stream = 'pay_method'
                        and set_aside_record.is_known
                )
            )
        from pipeline.pay_method_reading
        where pay_method_reading.client_id = me_status.whmcs_client_id
    ) as pay_methods_at,
    (
        select min(balance_reading.read_at)
        from snapshot.invoice
        inner join pipeline.balance_reading on balance_reading.invoice_id = invoice.invoice_id
        where invoice.client_id = me_status.whmcs_client_id and invoice.status = 'Unpaid'
    ) as balances_at
from me_status
cross join
    lateral (
        select
            max(list.read_at) filter (where list.stream = 'account') as account_at,
            case
                when count(list.read_at) filter (where list.stream in ('order', 'case')) = 2
                    then min(list.read_at) filter (where list.stream in ('order', 'case'))
            end as salesforce_at,
            case
                when count(list.read_at) filter (where list.stream in ('client', 'invoice', 'service')) = 3
                    then min(list.read_at) filter (where list.stream in ('client', 'invoice', 'service'))
            end as billing_at
        from (
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
            from pipeline.stream_state
            cross join
                lateral (
                    select
                        case
                            when stream_state.stream in ('account', 'order', 'case') then me_status.customer_id
                            else cast(me_status.whmcs_client_id as text)
                        end as owner_id
                ) as owner
            left join pipeline.owner_reading
                on owner_reading.owner_id = owner.owner_id and owner_reading.stream = stream_state.stream
            where stream_state.stream in ('account', 'order', 'case', 'client', 'invoice', 'service')
        ) as list
    ) as lists;

comment on view pipeline.fact_age is 'When the facts of each customer with a document were last read from their source. Fast by customer_id.';
comment on column pipeline.fact_age.customer_id is 'The Salesforce Account id.';
comment on column pipeline.fact_age.account_at is 'When the account was read.';
comment on column pipeline.fact_age.salesforce_at is 'When orders and cases were read, the older of the two; null: one of them never was.';
comment on column pipeline.fact_age.billing_at is 'When client, invoices and services were read, the oldest; null: one of them never was.';
comment on column pipeline.fact_age.pay_methods_at is 'When the client''s pay methods were read; null: never.';
comment on column pipeline.fact_age.balances_at is 'The oldest reading of the balance of an unpaid invoice of the client; null: none was asked for.';

alter table pipeline.refresh_mark add column account_at timestamptz;
alter table pipeline.refresh_mark add column salesforce_at timestamptz;
alter table pipeline.refresh_mark add column billing_at timestamptz;
alter table pipeline.refresh_mark add column pay_methods_at timestamptz;
alter table pipeline.refresh_mark add column balances_at timestamptz;
comment on column pipeline.refresh_mark.account_at is 'pipeline.fact_age when a change of facts marked first, which is how old the document is until its refresh; null: nothing changed that it rests on.';
comment on column pipeline.refresh_mark.salesforce_at is 'As account_at.';
comment on column pipeline.refresh_mark.billing_at is 'As account_at.';
comment on column pipeline.refresh_mark.pay_methods_at is 'As account_at.';
comment on column pipeline.refresh_mark.balances_at is 'As account_at.';
