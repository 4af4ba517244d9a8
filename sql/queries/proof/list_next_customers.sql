-- The next of everybody for the shadow check, ascending: customers, and who has a document.
-- :last_id  the last one checked
-- :steps    how many to check
(
    select account.account_id as customer_id
    from snapshot.account
    where account.is_customer and account.account_id > cast(:last_id as text)
    order by account.account_id
    limit cast(:steps as bigint)
)
union
(
    select me_status.customer_id
    from me_status
    where me_status.customer_id > cast(:last_id as text)
    order by me_status.customer_id
    limit cast(:steps as bigint)
)
order by customer_id
limit cast(:steps as bigint)
