-- Grain: one row.
create or replace view analytics.settings as
select
    published_setting.zone,
    latest.as_of,
    cast(latest.as_of at time zone published_setting.zone as date) as today,
    published_setting.invoice_due_days,
    published_setting.card_expiring_days,
    cast(published_setting.freshness_minutes ->> 'salesforce' as integer) as salesforce_freshness_minutes,
    cast(published_setting.freshness_minutes ->> 'whmcs' as integer) as whmcs_freshness_minutes,
    cast(published_setting.freshness_minutes ->> 'pay_methods' as integer) as pay_methods_freshness_minutes,
    cast(published_setting.freshness_minutes ->> 'balances' as integer) as balances_freshness_minutes,
    cast(published_setting.retention_days ->> 'transitions' as integer) as transitions_retention_days,
    cast(published_setting.retention_days ->> 'notifications' as integer) as notifications_retention_days,
    cast(published_setting.retention_days ->> 'runs' as integer) as runs_retention_days,
    cast(published_setting.retention_days ->> 'history' as integer) as history_retention_days,
    cast(published_setting.retention_days ->> 'change_feed' as integer) as change_feed_retention_days,
    (
        select cast(pruned.before at time zone published_setting.zone as date) + 1
        from pipeline.pruned
        where pruned.kind = 'notifications'
    ) as notifications_whole_from,
    (
        select cast(pruned.before at time zone published_setting.zone as date) + 1
        from pipeline.pruned
        where pruned.kind = 'transitions'
    ) as transitions_whole_from,
    (
        select cast(pruned.before at time zone published_setting.zone as date) + 1
        from pipeline.pruned
        where pruned.kind = 'history'
    ) as history_whole_from,
    (
        select cast(pruned.before at time zone published_setting.zone as date) + 1
        from pipeline.pruned
        where pruned.kind = 'runs'
    ) as runs_whole_from,
    (select change_feed_start.complete_after from pipeline.change_feed_start) as change_feed_complete_after,
    published_setting.rules_version,
    (select schema_version.version_num from public.schema_version) as schema_revision
from pipeline.published_setting
cross join lateral (
    select
        coalesce(
            (
                select job_run.started_at
                from public.job_run
                where job_run.job not in ('prune', 'announce')
                order by job_run.run_id desc
                limit 1
            ),
            now()
        ) as as_of
) as latest;
comment on view analytics.settings is 'One row: what the figures of the other views depend on. Answers at once.';
comment on column analytics.settings.zone is 'Business time zone, IANA name: every day of these views is cut in it, never in the reader''s session zone.';
comment on column analytics.settings.as_of is 'The now of the last run that read or computed anything; the clock when there was none.';
comment on column analytics.settings.today is 'The business date of as_of: ages and days overdue count to it.';
comment on column analytics.settings.invoice_due_days is 'How many days before its due date an unpaid invoice counts as due.';
comment on column analytics.settings.card_expiring_days is 'How many days before its end a card counts as expiring.';
comment on column analytics.settings.salesforce_freshness_minutes is 'After how many minutes Salesforce data is stale.';
comment on column analytics.settings.whmcs_freshness_minutes is 'After how many minutes WHMCS data is stale.';
comment on column analytics.settings.pay_methods_freshness_minutes is 'After how many minutes pay methods are stale; null where they have no limit of their own.';
comment on column analytics.settings.balances_freshness_minutes is 'After how many minutes balances are stale; null where they have no limit of their own.';
comment on column analytics.settings.transitions_retention_days is 'How many days transitions are kept; null before the first run.';
comment on column analytics.settings.notifications_retention_days is 'How many days notifications are kept; null before the first run.';
comment on column analytics.settings.runs_retention_days is 'How many days runs are kept; null before the first run.';
comment on column analytics.settings.history_retention_days is 'How many days versions of documents are kept after they ended; null before the first run.';
comment on column analytics.settings.change_feed_retention_days is 'How many days changes are kept; null before the first run.';
comment on column analytics.settings.notifications_whole_from is 'The first business day of which every notification is still there; null: every day.';
comment on column analytics.settings.transitions_whole_from is 'The first business day of which every transition is still there; null: every day.';
comment on column analytics.settings.history_whole_from is 'The first business day of which every version is still there; null: every day.';
comment on column analytics.settings.runs_whole_from is 'The first business day of which every run is still there; null: every day.';
comment on column analytics.settings.change_feed_complete_after is 'The highest feed_id that was pruned: a reader who stopped below it loads the tables anew.';
comment on column analytics.settings.rules_version is 'Version of the rules, copy and business zone that the last run had; null before the first.';
comment on column analytics.settings.schema_revision is 'Newest revision of the schema.';
