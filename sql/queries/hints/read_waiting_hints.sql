-- How many accounts and clients wait to be read again, and since when the first of them.
select
    count(*) as waiting,
    min(hint.first_at) as oldest_at
from pipeline.hint
