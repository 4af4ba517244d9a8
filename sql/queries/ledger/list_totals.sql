-- Totals that only grow: name, labels, amount.
select total.metric, total.label, total.detail, total.amount
from pipeline.total
order by total.metric, total.label, total.detail
