-- Who may read what is published. Applied by every migrate that finds it changed, a role new, or a column new.
--
-- me_status_analyst sees the views of analytics, and the published tables without their personal columns;
-- me_status_analyst_pii sees these columns as well. Both are read-only and bounded in time, and so is every login that is
-- a member of them and of nothing else.

do $$
declare
    personal constant text[] := array[
        'me_status.document', 'me_status_history.document', 'notification.message', 'notification.about'
    ];
    published constant text[] := array[
        'job_run', 'me_status', 'me_status_history', 'notification', 'status_transition'
    ];
    bounds constant text[] := array[
        'default_transaction_read_only = on',
        'statement_timeout = ''5min''',
        'idle_in_transaction_session_timeout = ''2min''',
        'idle_session_timeout = ''8h'''
    ];
    analyst text;
    relation text;
    bound text;
    open_columns text;
begin
    foreach analyst in array array['me_status_analyst', 'me_status_analyst_pii'] loop
        begin
            if not exists (select from pg_roles where rolname = analyst) then
                execute format('create role %I nologin', analyst);
            end if;
        exception
            when insufficient_privilege then
                raise notice 'role % cannot be created by %; create it and run me-status migrate again',
                    analyst, current_user;
            when duplicate_object or unique_violation then
                null;
        end;
        continue when not exists (select from pg_roles where rolname = analyst);
        execute format('grant usage on schema public, analytics to %I', analyst);
        execute format('grant select on all tables in schema analytics to %I', analyst);
        foreach relation in array published loop
            execute format('revoke all on public.%I from %I', relation, analyst);
            select string_agg(quote_ident(attribute.attname), ', ' order by attribute.attnum)
            into open_columns
            from pg_attribute as attribute
            where
                attribute.attrelid = format('public.%I', relation)::regclass
                and attribute.attnum > 0
                and not attribute.attisdropped
                and (analyst = 'me_status_analyst_pii' or relation || '.' || attribute.attname <> all(personal));
            execute format('grant select (%s) on public.%I to %I', open_columns, relation, analyst);
        end loop;
    end loop;

    for analyst in
        select reader.rolname
        from pg_roles as reader
        where
            not reader.rolsuper
            and (
                reader.rolname in ('me_status_analyst', 'me_status_analyst_pii')
                or (
                    exists (select from pg_auth_members as held where held.member = reader.oid)
                    and not exists (
                        select
                        from pg_auth_members as held
                        inner join pg_roles as role_held on role_held.oid = held.roleid
                        where
                            held.member = reader.oid
                            and role_held.rolname not in ('me_status_analyst', 'me_status_analyst_pii')
                    )
                )
            )
    loop
        foreach bound in array bounds loop
            begin
                continue when exists (
                    select
                    from pg_roles
                    cross join unnest(pg_roles.rolconfig) as setting
                    where pg_roles.rolname = analyst and split_part(setting, '=', 1) = split_part(bound, ' ', 1)
                );
                execute format('alter role %I set ', analyst) || bound;
            exception
                when insufficient_privilege then
                    raise notice 'role % keeps its settings: % may not change them', analyst, current_user;
            end;
        end loop;
    end loop;
end
$$;
