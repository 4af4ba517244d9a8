-- Ends, at the run's now, what was served to customers that are none any more.
-- :now  the run's now
-- :customer_ids  Account ids
update me_status_history
set valid_to = greatest(me_status_history.valid_from, cast(:now as timestamptz))
where
    me_status_history.customer_id = any(cast(:customer_ids as text[]))
    and (me_status_history.valid_to is null or me_status_history.valid_to > cast(:now as timestamptz))
