-- Every client with the instant its pay methods were read last: never read first, then longest ago.
select client.client_id, pay_method_rota.read_at
from snapshot.client
left join pipeline.pay_method_rota on pay_method_rota.client_id = client.client_id
order by pay_method_rota.read_at nulls first, client.client_id;
