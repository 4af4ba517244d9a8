"""Follows me_status with dlt: reads what the change feed has above the last feed_id seen, and merges it into DuckDB.

Prints the table as loaded, as JSON. docs/analysts.md shows the resource of this file.
"""

import json
import sys

import dlt
import sqlalchemy as sa
from dlt.sources.sql_database import sql_table

# docs: begin
CHANGED = sa.text("""
    select changed.feed_id, changed.key as customer_id, changed.is_deleted, me_status.task_count
    from (
        select change_feed.key, max(change_feed.feed_id) as feed_id,
            not exists (select 1 from me_status where me_status.customer_id = change_feed.key) as is_deleted
        from analytics.change_feed
        where change_feed.table_name = 'me_status' and change_feed.feed_id > :last
        group by change_feed.key
    ) as changed
    left join me_status on me_status.customer_id = changed.key
""")


def followed(url):
    """Rows of me_status that changed since the last load; is_deleted ones are dropped at the destination."""
    table = sql_table(
        url,
        table="change_feed",
        schema="analytics",
        incremental=dlt.sources.incremental("feed_id", initial_value=0, range_start="open"),
        query_adapter_callback=lambda query, table, incremental, engine: CHANGED.bindparams(
            last=incremental.last_value
        ),
    )
    table.apply_hints(
        table_name="me_status",
        primary_key="customer_id",
        write_disposition="merge",
        columns={"is_deleted": {"hard_delete": True}},
    )
    return table


# docs: end
if __name__ == "__main__":
    pipeline = dlt.pipeline("follower", destination="duckdb", dataset_name="copy", pipelines_dir="state")
    pipeline.run(followed(json.loads(sys.argv[1])["url"]))
    with pipeline.sql_client() as client:
        rows = client.execute_sql("select customer_id, task_count from me_status order by 1")
    sys.stdout.write(json.dumps([list(row) for row in rows]) + "\n")
