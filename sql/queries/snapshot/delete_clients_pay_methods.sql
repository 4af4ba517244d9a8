-- Removes the pay methods of clients that are gone, and the notes of their readings.
-- :client_ids  WHMCS client ids
with readings as (
    delete from pipeline.pay_method_reading
    where client_id = any(cast(:client_ids as bigint[]))
)

delete from snapshot.pay_method
where client_id = any(cast(:client_ids as bigint[]))
