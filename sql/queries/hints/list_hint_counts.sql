-- How many hints were dealt with, by who gave them and what became of them.
select hint_count.origin, hint_count.outcome, hint_count.hints
from pipeline.hint_count
order by hint_count.origin, hint_count.outcome
