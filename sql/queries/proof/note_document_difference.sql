-- Keeps both bodies of a document that is not what its facts give.
-- :customer_id  the customer
-- :now          instant of the run
-- :run_id       the refresh that found it
-- :paths        where the two differ
-- :stored       the document as served; null: there was none
-- :computed     the document computed anew; null: there should be none, or it cannot be computed
insert into pipeline.document_difference (customer_id, found_at, run_id, paths, stored, computed)
values (
    cast(:customer_id as text),
    cast(:now as timestamptz),
    cast(:run_id as bigint),
    cast(:paths as text[]),
    cast(:stored as text),
    cast(:computed as text)
)
on conflict (customer_id) do update
    set
        found_at = case
            when document_difference.settled_at is null then document_difference.found_at
            else excluded.found_at
        end,
        run_id = excluded.run_id,
        paths = excluded.paths,
        stored = excluded.stored,
        computed = excluded.computed,
        settled_at = null
