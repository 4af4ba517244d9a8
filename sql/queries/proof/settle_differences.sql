-- Notes that documents found to differ are equal again.
-- :now           instant of the run
-- :customer_ids  Account ids of customers whose documents are as they should be
update pipeline.document_difference
set settled_at = cast(:now as timestamptz)
where
    document_difference.customer_id = any(cast(:customer_ids as text[]))
    and document_difference.settled_at is null
