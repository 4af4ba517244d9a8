-- Which process of the server serves this connection.
select pg_backend_pid() as process_id
