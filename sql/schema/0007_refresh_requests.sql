-- When each customer last asked for a refresh, so that one cannot ask all the time, whichever worker is asked.

create table pipeline.refresh_request (
    customer_id text collate "C" primary key,
    requested_at timestamptz not null
);
create index refresh_request_requested_at on pipeline.refresh_request (requested_at);
comment on table pipeline.refresh_request is 'When each customer last asked for a refresh and was admitted; kept for a day.';
comment on column pipeline.refresh_request.customer_id is 'Key: the Salesforce Account id the token named; it need not be a customer yet.';
comment on column pipeline.refresh_request.requested_at is 'The database''s clock at the request.';

do $$
begin
    if exists (select from pg_roles where rolname = 'me_status_api') then
        grant select, insert, update on pipeline.refresh_request to me_status_api;
    end if;
end
$$;
