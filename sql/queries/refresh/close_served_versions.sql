-- Ends, at the run's now, the versions of documents that the rows of pg_temp.computed have replaced in me_status.
-- :now  the run's now
with replacing as (
    select me_status.customer_id
    from pg_temp.computed
    inner join me_status
        on me_status.customer_id = computed.customer_id and me_status.content_hash = computed.content_hash
    where not exists (
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
