-- Publishes the settings that figures depend on, as this run has them.
-- :zone                business time zone, IANA name
-- :rules_version       version of the rules, copy and zone
-- :invoice_due_days    how many days before its due date an invoice counts as due
-- :card_expiring_days  how many days before its end a card counts as expiring
-- :freshness_minutes   JSON object: limit by source
-- :retention_days      JSON object: days by kind of history
update pipeline.published_setting
set
    zone = :zone,
    rules_version = :rules_version,
    invoice_due_days = :invoice_due_days,
    card_expiring_days = :card_expiring_days,
    freshness_minutes = cast(:freshness_minutes as json),
    retention_days = cast(:retention_days as json)
where
    (
        published_setting.zone,
        published_setting.rules_version,
        published_setting.invoice_due_days,
        published_setting.card_expiring_days,
        cast(published_setting.freshness_minutes as text),
        cast(published_setting.retention_days as text)
    ) is distinct from (
        cast(:zone as text),
        cast(:rules_version as text),
        cast(:invoice_due_days as integer),
        cast(:card_expiring_days as integer),
        cast(:freshness_minutes as text),
        cast(:retention_days as text)
    )
