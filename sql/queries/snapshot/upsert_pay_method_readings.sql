-- Notes that the pay methods of clients were read; returns those read for the first time.
-- :client_ids  WHMCS client ids
-- :now         instant of the run
with known as (
    select pay_method_reading.client_id
    from pipeline.pay_method_reading
    where pay_method_reading.client_id = any(cast(:client_ids as bigint[]))
),

noted as (
    insert into pipeline.pay_method_reading (client_id, read_at)
    select distinct given.client_id, cast(:now as timestamptz) as read_at
    from unnest(cast(:client_ids as bigint[])) as given (client_id)
    on conflict (client_id) do update set read_at = excluded.read_at
    returning client_id
)

select noted.client_id
from noted
where noted.client_id not in (select known.client_id from known)
