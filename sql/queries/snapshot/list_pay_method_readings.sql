-- Every client with the instant its pay methods were read last: never read first, then longest ago.
select client.client_id, pay_method_reading.read_at
from snapshot.client
left join pipeline.pay_method_reading on pay_method_reading.client_id = client.client_id
order by pay_method_reading.read_at nulls first, client.client_id
