-- Who the read API should be: reads what it serves and what /ops and /metrics count, writes marks of notifications,
-- hints and requests of the operator, and nothing else. Applied as sql/schema/roles.sql is.

do $$
begin
    begin
        if not exists (select from pg_roles where rolname = 'me_status_api') then
            create role me_status_api nologin;
        end if;
    exception
        when insufficient_privilege then
            raise notice 'role me_status_api cannot be created by %; create it and run me-status migrate again', current_user;
        when duplicate_object or unique_violation then
            null;
    end;
    if exists (select from pg_roles where rolname = 'me_status_api') then
        grant usage on schema public, pipeline, snapshot to me_status_api;
        grant select on public.me_status, public.notification, public.job_run, public.schema_version to me_status_api;
        grant select on public.status_transition to me_status_api;
        grant update (read_at, dismissed_at) on public.notification to me_status_api;
        grant select on all tables in schema pipeline to me_status_api;
        grant insert, update on pipeline.hint, pipeline.refresh_request to me_status_api;
        grant insert on pipeline.operator_action to me_status_api;
        grant select (account_id, is_customer, portal_user_id) on snapshot.account to me_status_api;
        grant select (invoice_id, client_id, status) on snapshot.invoice to me_status_api;
    end if;
end
$$;
