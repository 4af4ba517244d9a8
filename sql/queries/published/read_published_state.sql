-- Which views and grants were applied last, at which schema revision, and whether the analysts' roles have theirs.
select
    schema_version.version_num as schema_revision,
    (select published_source.fingerprint from pipeline.published_source) as fingerprint,
    not exists (
        select 1
        from pg_roles
        where
            (
                pg_roles.rolname in ('me_status_analyst', 'me_status_analyst_pii')
                and not has_schema_privilege(pg_roles.oid, 'analytics', 'usage')
            )
            or (
                pg_roles.rolname = 'me_status_api'
                and not has_column_privilege(pg_roles.oid, 'public.notification', 'read_at', 'update')
            )
    ) as is_granted
from schema_version
