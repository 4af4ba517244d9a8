-- Ends, at the run's now, the versions of documents that the rows of pg_temp.computed have replaced in me_status.
-- :now        the run's now
-- :are_taken  whether me_status has taken over every row; else those are asked for that it has
with replacing as (
    select computed.customer_id
    from pg_temp.computed
    where
        (
            cast(:are_taken as boolean)
            or exists (
                select 1 from me_status
                where me_status.customer_id = computed.customer_id and me_status.content_hash = computed.content_hash
            )
        )
        and not exists (
            select 1
            from me_status_history as served
            where
                served.customer_id = computed.customer_id
                and served.valid_to is null
                and served.content_hash = computed.content_hash
        )
)

update me_status_history
set valid_to = greatest(me_status_history.valid_from, cast(:now as timestamptz))
from replacing
where
    me_status_history.customer_id = replacing.customer_id
    and (me_status_history.valid_to is null or me_status_history.valid_to > cast(:now as timestamptz))
