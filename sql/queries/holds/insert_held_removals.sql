-- Keeps rows of a stream, found gone by a held run, for the operator's decision, and how old they are.
-- :run_id      the held run
-- :stream      name of the stream
-- :record_ids  ids of records, as text
-- :owner_ids   whose each is, as text; null: nobody's
insert into pipeline.held_removal (run_id, stream, record_id, owner_id, read_at)
select
    cast(:run_id as bigint) as run_id,
    cast(:stream as text) as stream,
    given.record_id,
    given.owner_id,
    least(
        (
            select min(earlier.read_at)
            from pipeline.held_removal as earlier
            where
                earlier.owner_id = given.owner_id
                and earlier.stream = :stream
                and earlier.record_id = given.record_id
                and not earlier.is_settled
        ),
        case
            when :stream = 'pay_method'
                then
                    (
                        select pay_method_reading.read_at
                        from pipeline.pay_method_reading
                        where pay_method_reading.client_id = cast(given.owner_id as bigint)
                    )
            else
                (
                    select greatest(stream_state.read_at, nullif(owner_reading.read_at, '-infinity'))
                    from pipeline.stream_state
                    left join pipeline.owner_reading
                        on
                            owner_reading.stream = stream_state.stream
                            and owner_reading.owner_id = given.owner_id
                    where stream_state.stream = :stream
                )
        end
    ) as read_at
from unnest(cast(:record_ids as text[]), cast(:owner_ids as text[])) as given (record_id, owner_id)
on conflict do nothing
