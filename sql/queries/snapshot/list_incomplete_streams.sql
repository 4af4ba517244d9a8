-- Streams whose last pull failed or was not provably complete, so that nothing of them is removed.
-- :at_most  how many rows at most
select
    incomplete_stream.stream,
    incomplete_stream.reason,
    incomplete_stream.first_seen_at,
    incomplete_stream.last_seen_at
from pipeline.incomplete_stream
order by incomplete_stream.stream
limit :at_most
