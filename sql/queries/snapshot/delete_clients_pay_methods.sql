-- Removes the pay methods of the clients :client_ids, which are gone, and the notes of their readings.
with readings as (
    delete from pipeline.pay_method_reading
    where client_id = any(cast(:client_ids as bigint[]))
)

delete from snapshot.pay_method
where client_id = any(cast(:client_ids as bigint[]));
