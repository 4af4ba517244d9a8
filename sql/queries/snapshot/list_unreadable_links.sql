-- Customers whose link field holds what is not a client id, with its text.
-- :at_most  how many rows at most
select account.account_id as customer_id, account.unreadable_link as text
from snapshot.account
where account.is_customer and account.unreadable_link is not null
order by account.account_id
limit :at_most
