-- Writes the rows of pg_temp.computed that differ from those stored.
-- :computed_at    instant of the run
-- :rules_version  version of the rules
-- :run_id         the run
-- :may_overwrite  whether to write over a row that appeared meanwhile
with written as (
    insert into me_status (
        customer_id,
        salesforce_account_id,
        whmcs_client_id,
        eligibility_status,
        verification_status,
        payment_method_count,
        active_service_count,
        open_order_count,
        open_case_count,
        unpaid_invoice_count,
        overdue_invoice_count,
        amount_due,
        currency,
        next_invoice_id,
        next_invoice_due_date,
        next_invoice_amount,
        task_count,
        top_task_type,
        document,
        content_hash,
        next_change_at,
        next_notification_at,
        computed_at,
        rules_version,
        run_id
    )
    select
        computed.customer_id,
        computed.customer_id,
        computed.whmcs_client_id,
        computed.eligibility_status,
        computed.verification_status,
        computed.payment_method_count,
        computed.active_service_count,
        computed.open_order_count,
        computed.open_case_count,
        computed.unpaid_invoice_count,
        computed.overdue_invoice_count,
        computed.amount_due,
        computed.currency,
        computed.next_invoice_id,
        computed.next_invoice_due_date,
        computed.next_invoice_amount,
        computed.task_count,
        computed.top_task_type,
        cast(computed.document as json),
        computed.content_hash,
        computed.next_change_at,
        computed.next_notification_at,
        cast(:computed_at as timestamptz),
        cast(:rules_version as text),
        cast(:run_id as bigint)
    from pg_temp.computed
    order by computed.customer_id
    on conflict (customer_id) do update
        set
            whmcs_client_id = excluded.whmcs_client_id,
            eligibility_status = excluded.eligibility_status,
            verification_status = excluded.verification_status,
            payment_method_count = excluded.payment_method_count,
            active_service_count = excluded.active_service_count,
            open_order_count = excluded.open_order_count,
            open_case_count = excluded.open_case_count,
            unpaid_invoice_count = excluded.unpaid_invoice_count,
            overdue_invoice_count = excluded.overdue_invoice_count,
            amount_due = excluded.amount_due,
            currency = excluded.currency,
            next_invoice_id = excluded.next_invoice_id,
            next_invoice_due_date = excluded.next_invoice_due_date,
            next_invoice_amount = excluded.next_invoice_amount,
            task_count = excluded.task_count,
            top_task_type = excluded.top_task_type,
            document = excluded.document,
            content_hash = excluded.content_hash,
            next_change_at = excluded.next_change_at,
            next_notification_at = excluded.next_notification_at,
            computed_at = excluded.computed_at,
            rules_version = excluded.rules_version,
            run_id = excluded.run_id
        where
        cast(:may_overwrite as boolean)
        and (
            me_status.content_hash,
            me_status.whmcs_client_id,
            me_status.next_change_at,
            me_status.next_notification_at,
            me_status.rules_version
        ) is distinct from (
            excluded.content_hash,
            excluded.whmcs_client_id,
            excluded.next_change_at,
            excluded.next_notification_at,
            excluded.rules_version
        )
    returning me_status.customer_id
)

select count(*) as changed from written
