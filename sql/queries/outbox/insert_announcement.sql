-- Puts an announcement for every customer, or the listed ones, into the outbox; those it has reached are left out.
-- :source_id       id of the announcement
-- :action_url      as sent
-- :window_seconds  length of the dedupe window
-- :tone            as sent
-- :now             instant of the run
-- :run_id          the run
-- :languages       the languages of those three, each once
-- :titles          as sent, a language each
-- :messages        as sent, a language each
-- :action_labels   as sent, a language each
-- :language        the language of customers who name none
-- :customer_ids    Account ids of those listed; null: everybody
insert into pipeline.notification_outbox (
    customer_id, type, source_id, title, message, action_url, action_label, window_seconds, tone, decided_at, run_id
)
select
    me_status.customer_id,
    'SYSTEM_ANNOUNCEMENT',
    cast(:source_id as text),
    worded.title,
    worded.message,
    cast(:action_url as text),
    worded.action_label,
    cast(:window_seconds as integer),
    cast(:tone as text),
    cast(:now as timestamptz),
    cast(:run_id as bigint)
from me_status
left join snapshot.account on account.account_id = me_status.salesforce_account_id
inner join
    unnest(
        cast(:languages as text[]), cast(:titles as text[]), cast(:messages as text[]), cast(:action_labels as text[])
    ) as worded (language, title, message, action_label)
    on worded.language = coalesce(account.language, cast(:language as text))
where
    (
        cast(:customer_ids as text[]) is null
        or me_status.customer_id = any(cast(:customer_ids as text[]))
    )
    and not exists (
        select
        from pipeline.notification_window
        where
            notification_window.customer_id = me_status.customer_id
            and notification_window.type = 'SYSTEM_ANNOUNCEMENT'
            and notification_window.source_id = cast(:source_id as text)
    )
order by me_status.customer_id
on conflict (customer_id, type, source_id) do nothing
