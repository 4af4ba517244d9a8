-- What the login of this connection may do beyond what the API needs, one line each.
select 'is a superuser' as may
from pg_roles
where pg_roles.rolname = current_user and pg_roles.rolsuper
union all
select 'owns the schema' as may
from pg_class
where pg_class.oid = to_regclass('public.me_status') and pg_class.relowner = current_user::regrole
union all
select 'may write documents' as may
where has_table_privilege('public.me_status', 'insert, update, delete')
