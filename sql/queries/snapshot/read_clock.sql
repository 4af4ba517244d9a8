-- The database's clock, by which readings of the sources are ordered.
select clock_timestamp() as clock
