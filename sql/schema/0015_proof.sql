-- How far each stream is proved equal to its source.

create table pipeline.stream_proof (
    stream text primary key,
    proved_through timestamptz,
    checked_at timestamptz not null,
    verdict text not null check (verdict in ('equal', 'differs', 'undecided')),
    differences json not null
);
comment on table pipeline.stream_proof is 'Whether each stream was equal to its source when it was last compared, and up to when that is proved.';
comment on column pipeline.stream_proof.stream is 'Key: name of the stream.';
comment on column pipeline.stream_proof.proved_through is 'Instant of the last pull that a complete reading or a comparison of counts showed to be equal; null: none was.';
comment on column pipeline.stream_proof.checked_at is 'When the source was last read completely or asked for counts.';
comment on column pipeline.stream_proof.verdict is 'Of that comparison: equal, differs, or undecided (the source moved since the last pull).';
comment on column pipeline.stream_proof.differences is 'Buckets (month of creation, status) with the rows of both sides.';

create table pipeline.document_difference (
    customer_id text collate "C" primary key,
    found_at timestamptz not null,
    run_id bigint not null,
    paths text[] not null,
    stored text,
    computed text,
    settled_at timestamptz
);
comment on table pipeline.document_difference is 'Documents that were not what the same facts gave anew at the same instant, as the shadow check of refreshes found them.';
comment on column pipeline.document_difference.customer_id is 'Key: the customer, with the latest difference found.';
comment on column pipeline.document_difference.found_at is 'The now of the run that found it.';
comment on column pipeline.document_difference.run_id is 'The refresh that found it.';
comment on column pipeline.document_difference.paths is 'Where the two documents differ, such as summary.stats.amountDue, which names the rule.';
comment on column pipeline.document_difference.stored is 'The document as it was served.';
comment on column pipeline.document_difference.computed is 'The document computed anew; null where there should be none.';
comment on column pipeline.document_difference.settled_at is 'When the documents were equal again; null while they are not known to be.';

create table pipeline.shadow_walk (
    only_row boolean primary key default true check (only_row),
    last_customer_id text collate "C" not null,
    checked_at timestamptz
);
insert into pipeline.shadow_walk (last_customer_id) values ('');
comment on table pipeline.shadow_walk is 'How far the shadow check has come on its way through everybody, once around in a day.';
comment on column pipeline.shadow_walk.only_row is 'Key: there is one row.';
comment on column pipeline.shadow_walk.last_customer_id is 'The last customer checked; the next one is behind it in the order of ids.';
comment on column pipeline.shadow_walk.checked_at is 'The now of the last refresh that checked.';

do $$
begin
    if exists (select from pg_roles where rolname = 'me_status_api') then
        grant usage on schema pipeline to me_status_api;
        grant select on pipeline.stream_proof, pipeline.document_difference to me_status_api;
    end if;
end
$$;
