-- Has this transaction find rows by index wherever there is one: right after a first sync the server takes large tables for empty ones.
select set_config('enable_seqscan', 'off', true)
