-- Has this transaction find rows by index wherever there is one.
-- Facts are read by key for a batch of customers. Right after a first sync, before autovacuum has analysed the new
-- tables, the planner takes them for empty and scans each once per customer: minutes a batch, not milliseconds.
select set_config('enable_seqscan', 'off', true)
