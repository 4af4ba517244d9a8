-- Every claim in which a customer or a client it names takes part: what its link is judged by.
-- :customer_id  Account id of the customer
select rival.customer_id, rival.client_id, client.client_id is not null as is_present
from pipeline.claim as own
inner join pipeline.claim as rival on rival.client_id = own.client_id
left join snapshot.client on client.client_id = rival.client_id
where own.customer_id = cast(:customer_id as text)
group by rival.customer_id, rival.client_id, client.client_id
order by rival.client_id, rival.customer_id
