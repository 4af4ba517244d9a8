-- Through which instant each stream is proved equal to its source, and whether it was found to differ.
select stream_proof.stream, stream_proof.proved_through, stream_proof.verdict = 'differs' as differs
from pipeline.stream_proof
order by stream_proof.stream
