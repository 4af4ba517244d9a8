-- Notes how far the shadow check has come.
-- :last_id  the last customer checked; empty: it has been once around
-- :now      instant of the run
update pipeline.shadow_walk
set last_customer_id = cast(:last_id as text), checked_at = cast(:now as timestamptz)
