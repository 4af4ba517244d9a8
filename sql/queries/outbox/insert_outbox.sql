-- Puts decided notifications into the outbox; returns how many of each type were suppressed, an identical one waiting.
-- :customer_ids    Account id of each
-- :types           type of each
-- :source_ids      what each is about
-- :titles          title of each
-- :messages        message of each
-- :action_urls     URL of each
-- :action_labels   label of each
-- :window_seconds  dedupe window of each
-- :tones           tone of each
-- :abouts          JSON of what each is about
-- :now             instant of the run
-- :run_id          the run
with decided as (
    select
        decided.*,
        row_number() over (partition by decided.customer_id, decided.type, decided.source_id) as nth
    from unnest(
        cast(:customer_ids as text[]),
        cast(:types as text[]),
        cast(:source_ids as text[]),
        cast(:titles as text[]),
        cast(:messages as text[]),
        cast(:action_urls as text[]),
        cast(:action_labels as text[]),
        cast(:window_seconds as integer[]),
        cast(:tones as text[]),
        cast(:abouts as text[])
    ) as decided (
        customer_id, type, source_id, title, message, action_url, action_label, window_seconds, tone, about
    )
),

put as (
    insert into pipeline.notification_outbox (
        customer_id, type, source_id, title, message, action_url, action_label, window_seconds, tone, about,
        decided_at, run_id
    )
    select
        decided.customer_id,
        decided.type,
        decided.source_id,
        decided.title,
        decided.message,
        decided.action_url,
        decided.action_label,
        decided.window_seconds,
        decided.tone,
        cast(decided.about as json),
        cast(:now as timestamptz),
        cast(:run_id as bigint)
    from decided
    where decided.nth = 1
    order by decided.customer_id, decided.type, decided.source_id
    on conflict (customer_id, type, source_id) do nothing
    returning customer_id, type, source_id
),

suppressed as (
    insert into pipeline.suppressed_notification (
        customer_id, type, source_id, suppressed_at, reason, passes_at, run_id
    )
    select
        decided.customer_id,
        decided.type,
        decided.source_id,
        cast(:now as timestamptz),
        case when waiting.is_held then 'held' else 'window' end,
        case
            when waiting.is_held then null
            else cast(:now as timestamptz) + make_interval(secs => decided.window_seconds)
        end,
        cast(:run_id as bigint)
    from decided
    left join put
        on
            put.customer_id = decided.customer_id
            and put.type = decided.type
            and put.source_id = decided.source_id
            and decided.nth = 1
    left join pipeline.notification_outbox as waiting
        on
            waiting.customer_id = decided.customer_id
            and waiting.type = decided.type
            and waiting.source_id = decided.source_id
    where put.customer_id is null
    returning type
)

select suppressed.type, count(*) as suppressed
from suppressed
group by suppressed.type
