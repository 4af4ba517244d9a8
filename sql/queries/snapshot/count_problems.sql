-- How many links cannot be read, customers failed, and streams are not complete.
select
    (select count(*) from snapshot.account where is_customer and unreadable_link is not null) as unreadable_links,
    (select count(*) from pipeline.failed_customer) as failed_customers,
    (select count(*) from pipeline.incomplete_stream) as incomplete_streams
