-- Sets customers aside whose document could not be computed; the next try is later after each failure, at most an hour.
-- :now           instant of the run
-- :run_id        the run
-- :customer_ids  Account ids of customers, an array like the next
-- :reasons       what went wrong with each
insert into pipeline.failed_customer (
    customer_id, reason, failures, first_failed_at, last_failed_at, retry_at, run_id
)
select
    given.customer_id, given.reason, 1, cast(:now as timestamptz), cast(:now as timestamptz),
    cast(:now as timestamptz) + interval '2 minutes', cast(:run_id as bigint)
from unnest(cast(:customer_ids as text[]), cast(:reasons as text[])) as given (customer_id, reason)
order by given.customer_id
on conflict (customer_id) do update
    set
        reason = excluded.reason,
        failures = failed_customer.failures + 1,
        last_failed_at = excluded.last_failed_at,
        retry_at = excluded.last_failed_at
        + least(interval '1 hour', interval '2 minutes' * power(2, least(failed_customer.failures, 5))),
        run_id = excluded.run_id
