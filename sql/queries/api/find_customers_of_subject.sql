-- Every customer a token's subject may mean, by portal user id or Account id; more than one: in doubt.
-- :subject     `sub` of the token
-- :account_id  the same as an Account id of 18 characters; null when it is not one
with by_portal_user as (
    select account_id as customer_id
    from snapshot.account
    where portal_user_id = cast(:subject as text)
),

by_account as (
    select customer_id
    from me_status
    where customer_id = cast(:account_id as text)
),

by_merged_account as (
    select customer_id
    from pipeline.account_redirect
    where
        account_id = cast(:account_id as text)
        and not exists (select from by_account)
)

select customer_id from by_portal_user
union
select customer_id from by_account
union
select customer_id from by_merged_account
