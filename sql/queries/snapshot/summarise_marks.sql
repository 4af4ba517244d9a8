-- Which customers wait for a refresh: how many, and up to five of those marked at an instant.
-- :now  that instant
select
    count(*) as customers,
    coalesce(
        (
            array_agg(refresh_mark.customer_id order by refresh_mark.customer_id) filter (
                where refresh_mark.marked_at = :now
            )
        )[1:5],
        '{}'
    ) as samples
from pipeline.refresh_mark
