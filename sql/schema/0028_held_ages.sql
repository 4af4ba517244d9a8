-- What the shrink gate holds is shown on, as old as the last reading that had it.

alter table pipeline.held_removal add column owner_id text collate "C";
alter table pipeline.held_removal add column read_at timestamptz;
alter table pipeline.held_removal add column is_settled boolean not null default false;
create index held_removal_owner on pipeline.held_removal (owner_id);
comment on column pipeline.held_removal.owner_id is 'The account or client (of a cancellation the service) whose document shows the row on, as text; null: nobody''s.';
comment on column pipeline.held_removal.read_at is 'When the row''s owner was last read with it, which is how old what is shown of the stream is until the row is removed, or read again; null: not known.';
comment on column pipeline.held_removal.is_settled is 'Whether a complete reading since had the row again, or found it removed already: a release leaves it alone.';

create view pipeline.kept_row as
select set_aside_record.stream, set_aside_record.owner_id, set_aside_record.read_at
from pipeline.set_aside_record
where set_aside_record.is_known
union all
select held_removal.stream, held_removal.owner_id, held_removal.read_at
from pipeline.held_removal
where not held_removal.is_settled;

comment on view pipeline.kept_row is 'Rows that are shown though a later reading did not bring them: set aside since, or held as gone. Fast by owner_id.';
comment on column pipeline.kept_row.stream is 'The stream.';
comment on column pipeline.kept_row.owner_id is 'The account or client (of a cancellation the service) whose document shows the row, as text; null: nobody''s.';
comment on column pipeline.kept_row.read_at is 'When the row was last read, which is how old what is shown of the stream is; null: not known.';

create or replace view pipeline.fact_age as
select
    me_status.customer_id,
    least(lists.account_at, kept.account_at) as account_at,
    case when lists.salesforce_at is not null then least(lists.salesforce_at, kept.salesforce_at) end as salesforce_at,
    case when lists.billing_at is not null then least(lists.billing_at, kept.billing_at) end as billing_at,
    (
        select least(pay_method_reading.read_at, kept.pay_methods_at)
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
                greatest(stream_state.read_at, nullif(owner_reading.read_at, '-infinity')) as read_at
            from pipeline.stream_state
            left join pipeline.owner_reading
                on
                    owner_reading.stream = stream_state.stream
                    and owner_reading.owner_id = case
                        when stream_state.stream in ('account', 'order', 'case') then me_status.customer_id
                        else cast(me_status.whmcs_client_id as text)
                    end
            where stream_state.stream in ('account', 'order', 'case', 'client', 'invoice', 'service')
        ) as list
    ) as lists
cross join
    lateral (
        select
            min(kept_row.read_at) filter (where kept_row.stream = 'account') as account_at,
            min(kept_row.read_at) filter (where kept_row.stream in ('order', 'case')) as salesforce_at,
            min(kept_row.read_at) filter (where kept_row.stream in ('client', 'invoice', 'service')) as billing_at,
            min(kept_row.read_at) filter (where kept_row.stream = 'pay_method') as pay_methods_at
        from pipeline.kept_row
        where kept_row.owner_id in (me_status.customer_id, cast(me_status.whmcs_client_id as text))
    ) as kept;
