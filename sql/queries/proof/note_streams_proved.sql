-- Notes that complete pulls have made streams equal to their source.
-- :through  instant of the pull
-- :streams  names of streams
insert into pipeline.stream_proof (stream, proved_through, checked_at, verdict, differences)
select given.stream, cast(:through as timestamptz), cast(:through as timestamptz), 'equal', '[]'
from unnest(cast(:streams as text[])) as given (stream)
on conflict (stream) do update
    set
        proved_through = greatest(stream_proof.proved_through, excluded.proved_through),
        checked_at = excluded.checked_at,
        verdict = excluded.verdict,
        differences = excluded.differences
