-- Notes that documents found to differ are equal again.
-- :customer_ids  Account ids of customers whose documents are as they should be
-- :now           instant of the run
update pipeline.document_difference
set settled_at = cast(:now as timestamptz)
where
    document_difference.customer_id = any(cast(:customer_ids as text[]))
    and document_difference.settled_at is null
