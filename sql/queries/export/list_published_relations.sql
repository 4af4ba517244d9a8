-- The tables and views that may be exported: the published tables and every view of schema analytics.
select
    case when namespace.nspname = 'public' then '' else namespace.nspname || '.' end || relation.relname as name,
    quote_ident(namespace.nspname) || '.' || quote_ident(relation.relname) as quoted
from pg_class as relation
inner join pg_namespace as namespace on namespace.oid = relation.relnamespace
where
    (
        namespace.nspname = 'public'
        and relation.relname in ('me_status', 'me_status_history', 'status_transition', 'notification', 'job_run')
    )
    or (namespace.nspname = 'analytics' and relation.relkind = 'v')
order by name
