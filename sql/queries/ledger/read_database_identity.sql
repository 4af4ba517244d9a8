-- Which database this is, the same from every machine that reaches it.
select concat(pg_control_system.system_identifier, '/', current_database()) as identity
from pg_control_system()
