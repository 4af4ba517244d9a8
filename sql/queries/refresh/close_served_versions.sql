-- Ends, at the run's now, the versions of documents that the rows of pg_temp.computed have replaced in me_status.
-- A version that ends after :now, as a run with a later now left it, ends at :now as well, unless the open version of
-- the customer (there is one at most: me_status_history_open) already has the content that was computed.
-- :now        the run's now
-- :are_taken  whether me_status has taken over every row; else those are asked for that it has
update me_status_history
set valid_to = greatest(me_status_history.valid_from, cast(:now as timestamptz))
from pg_temp.computed
where
    me_status_history.customer_id = computed.customer_id
    and (me_status_history.valid_to is null or me_status_history.valid_to > cast(:now as timestamptz))
    and case
        when me_status_history.valid_to is null then me_status_history.content_hash <> computed.content_hash
        else not exists (
            select 1
            from me_status_history as served
            where
                served.customer_id = computed.customer_id
                and served.valid_to is null
                and served.content_hash = computed.content_hash
        )
    end
    and (
        cast(:are_taken as boolean)
        or exists (
            select 1 from me_status
            where me_status.customer_id = computed.customer_id and me_status.content_hash = computed.content_hash
        )
    )
