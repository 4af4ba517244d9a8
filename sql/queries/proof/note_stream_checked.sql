-- Notes what a comparison of counts came to; only equality moves the instant through which a stream is proved.
-- :stream       name of the stream
-- :verdict      equal, differs or undecided
-- :through      instant of its last pull
-- :checked_at   when the source was asked
-- :differences  JSON array of buckets with the counts of both sides
insert into pipeline.stream_proof (stream, proved_through, checked_at, verdict, differences)
values (
    cast(:stream as text),
    case when cast(:verdict as text) = 'equal' then cast(:through as timestamptz) end,
    cast(:checked_at as timestamptz),
    cast(:verdict as text),
    cast(:differences as json)
)
on conflict (stream) do update
    set
        proved_through = greatest(stream_proof.proved_through, excluded.proved_through),
        checked_at = excluded.checked_at,
        verdict = excluded.verdict,
        differences = excluded.differences
