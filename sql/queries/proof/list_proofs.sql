-- Through which instant each stream is proved equal to its source, and what the last comparison said.
select
    stream_state.stream,
    stream_proof.proved_through,
    stream_proof.checked_at,
    coalesce(stream_proof.verdict, 'undecided') as verdict,
    coalesce(stream_proof.differences, '[]') as differences
from pipeline.stream_state
left join pipeline.stream_proof on stream_state.stream = stream_proof.stream
order by stream_state.stream
