-- Waits until the transaction holds what has this name, together with others who do so, or alone; until it ends.
-- :is_alone  boolean, whether no other transaction may hold it meanwhile
-- :name      text, the name
select
    case
        when cast(:is_alone as boolean) then pg_advisory_xact_lock(hashtextextended(cast(:name as text), 0))
        else pg_advisory_xact_lock_shared(hashtextextended(cast(:name as text), 0))
    end
