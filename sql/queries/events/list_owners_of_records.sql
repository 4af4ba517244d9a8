-- The account of each order and case that the snapshot knows.
-- :record_ids  ids of orders and cases
select
    "order".order_id as record_id,
    "order".account_id
from snapshot."order"
where "order".order_id = any(cast(:record_ids as text[]))
union all
select
    "case".case_id as record_id,
    "case".account_id
from snapshot."case"
where "case".case_id = any(cast(:record_ids as text[]))
