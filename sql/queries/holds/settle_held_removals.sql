-- Settles rows of a stream that runs hold as gone: a complete reading has them again, or knows that they left.
-- Those of a hold that is decided, or pruned since, are forgotten with it.
-- :stream       name of the stream
-- :owner_ids    the owners that were read whole, as text; null: all of the stream was
-- :newer_ids    owners who were read by themselves since this reading began, as text: it says nothing of them
-- :missing_ids  ids of the rows that this reading did not have either, as text
with settled as (
    select
        held_removal.run_id,
        held_removal.stream,
        held_removal.record_id,
        held_run.run_id is null or held_run.decision is not null as is_decided
    from pipeline.held_removal
    left join pipeline.held_run on held_run.run_id = held_removal.run_id
    where
        held_removal.stream = :stream
        and not held_removal.is_settled
        and (cast(:owner_ids as text[]) is null or held_removal.owner_id = any(cast(:owner_ids as text[])))
        and held_removal.owner_id <> all(cast(:newer_ids as text[]))
        and not held_removal.record_id = any(cast(:missing_ids as text[]))
),

forgotten as (
    delete from pipeline.held_removal
    using settled
    where
        settled.is_decided
        and held_removal.run_id = settled.run_id
        and held_removal.stream = settled.stream
        and held_removal.record_id = settled.record_id
)

update pipeline.held_removal
set is_settled = true
from settled
where
    not settled.is_decided
    and held_removal.run_id = settled.run_id
    and held_removal.stream = settled.stream
    and held_removal.record_id = settled.record_id
