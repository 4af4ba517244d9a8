-- Waits until the transaction may change rows of a stream: windows of one pull together, a hinted reading alone.
-- :is_alone  boolean, whether no other transaction may change the stream meanwhile
-- :name      text, a name for the stream
select
    case
        when cast(:is_alone as boolean) then pg_advisory_xact_lock(hashtextextended(cast(:name as text), 0))
        else pg_advisory_xact_lock_shared(hashtextextended(cast(:name as text), 0))
    end
