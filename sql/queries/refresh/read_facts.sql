-- Everything known of each customer asked for, one row each; account is null for one that is not a customer.
-- :customer_ids       Account ids of customers
-- :now                the run's now: of invoices and closed cases the newest events up to then are read, and later ones
-- :zone               business time zone, IANA name
-- :is_link_at_client  whether WHMCS clients name their accounts: no link is known before they were pulled
with asked as materialized (
    select distinct asked_for.customer_id
    from unnest(cast(:customer_ids as text[])) as asked_for (customer_id)
),

known as materialized (
    select
        coalesce(bool_or(stream = 'order'), false) as orders,
        coalesce(bool_or(stream = 'case'), false) as cases,
        coalesce(bool_or(stream = 'client'), false) as clients,
        coalesce(bool_or(stream = 'invoice'), false) as invoices,
        coalesce(bool_or(stream = 'service'), false) as services,
        coalesce(bool_or(stream = 'pay_method'), false) as pay_methods,
        coalesce(bool_or(stream = 'cancellation'), false) as cancellations
    from pipeline.stream_state
),

customer as (
    select asked.customer_id, link.state, link.client_id
    from asked
    left join pipeline.link
        on
            link.customer_id = asked.customer_id
            and not exists (
                select 1 from pipeline.account_redirect where account_redirect.account_id = asked.customer_id
            )
)

select
    customer.customer_id,
    cast(json_build_object(
        'customer_id', customer.customer_id,
        'link', case
            when customer.state = 'none' and cast(:is_link_at_client as boolean) and not known.clients then 'unread'
            else customer.state
        end,
        'client_id', customer.client_id,
        'account', (
            select row_to_json(account_fact)
            from (
                select
                    account.eligibility_status,
                    account.eligibility_known,
                    account.eligibility,
                    account.eligibility_requested_at,
                    account.eligibility_checked_at,
                    account.eligibility_notes,
                    account.verification_status,
                    account.verification_known,
                    account.verification_submitted_at,
                    account.verification_reviewed_at,
                    account.verification_notes,
                    account.language
                from snapshot.account
                where account.account_id = customer.customer_id and customer.state is not null
            ) as account_fact
        ),
        'orders', case when known.orders then (
            select coalesce(json_agg(order_fact), '[]')
            from (
                select "order".order_id, "order".stage, "order".order_number, "order".effective_on, "order".created_at
                from snapshot."order"
                where "order".account_id = customer.customer_id
                order by "order".order_id
            ) as order_fact
        ) end,
        'cases', case when known.cases then (
            select coalesce(json_agg(case_fact), '[]')
            from (
                select
                    ranked_case.case_id,
                    ranked_case.is_closed,
                    ranked_case.case_number,
                    ranked_case.subject,
                    ranked_case.created_at,
                    ranked_case.closed_at
                from (
                    select
                        "case".*,
                        happened.at as happened_at,
                        rank() over (
                            order by
                                case when happened.at <= cast(:now as timestamptz) then happened.at end desc nulls last
                        ) as newest
                    from snapshot."case"
                    cross join
                        lateral (
                            select
                                greatest("case".created_at, case when "case".is_closed then "case".closed_at end) as at
                        ) as happened
                    where "case".account_id = customer.customer_id
                ) as ranked_case
                where
                    not ranked_case.is_closed
                    or ranked_case.newest <= 20
                    or ranked_case.happened_at > cast(:now as timestamptz) - interval '2 days'
                order by ranked_case.case_id
            ) as case_fact
        ) end,
        'invoices', case when known.invoices and customer.client_id is not null then (
            select coalesce(json_agg(invoice_fact), '[]')
            from (
                select
                    ranked_invoice.invoice_id,
                    ranked_invoice.status,
                    ranked_invoice.invoice_number,
                    ranked_invoice.invoiced_on,
                    ranked_invoice.due_on,
                    ranked_invoice.paid_at,
                    cast(ranked_invoice.total as text) as total,
                    ranked_invoice.currency,
                    ranked_invoice.created_at,
                    cast(balance.balance as text) as balance,
                    coalesce(balance.is_mass_pay, false) as is_mass_pay
                from (
                    select
                        invoice.*,
                        happened.at as happened_at,
                        rank() over (
                            order by
                                case when happened.at <= cast(:now as timestamptz) then happened.at end desc nulls last
                        ) as newest
                    from snapshot.invoice
                    cross join
                        lateral (
                            select
                                greatest(
                                    case when invoice.status = 'Paid' then invoice.paid_at end,
                                    case
                                        when invoice.status is distinct from 'Draft' then coalesce(
                                            invoice.created_at,
                                            cast(invoice.invoiced_on as timestamp) at time zone cast(:zone as text)
                                        )
                                    end
                                ) as at
                        ) as happened
                    where invoice.client_id = customer.client_id
                ) as ranked_invoice
                left join snapshot.balance on balance.invoice_id = ranked_invoice.invoice_id
                where
                    ranked_invoice.newest <= 20
                    or ranked_invoice.happened_at > cast(:now as timestamptz) - interval '2 days'
                    or ranked_invoice.status is null
                    or ranked_invoice.status not in ('Paid', 'Cancelled', 'Refunded')
                order by ranked_invoice.invoice_id
            ) as invoice_fact
        ) end,
        'services', case when known.services and customer.client_id is not null then (
            select coalesce(json_agg(service_fact), '[]')
            from (
                select
                    service.service_id,
                    service.status,
                    service.status_known,
                    service.product_name,
                    service.registered_on,
                    case when exists (
                        select 1 from snapshot.cancellation
                        where
                            cancellation.service_id = service.service_id and cancellation.kind = 'End of Billing Period'
                    ) then service.next_due_on end as cancelled_as_of
                from snapshot.service
                where service.client_id = customer.client_id
                order by service.service_id
            ) as service_fact
        ) end,
        'pay_methods', case when known.pay_methods and customer.client_id is not null then (
            select coalesce(json_agg(pay_method_fact), '[]')
            from (
                select pay_method.pay_method_id, pay_method.card_last_four, pay_method.expires_on
                from snapshot.pay_method
                where pay_method.client_id = customer.client_id
                order by pay_method.pay_method_id
            ) as pay_method_fact
        ) end,
        'pay_methods_read_at', (
            select
                least(
                    pay_method_reading.read_at,
                    (
                        select min(kept_row.read_at)
                        from pipeline.kept_row
                        where
                            kept_row.owner_id = cast(customer.client_id as text)
                            and kept_row.stream = 'pay_method'
                    )
                )
            from pipeline.pay_method_reading
            where pay_method_reading.client_id = customer.client_id
        ),
        'unreadable', (
            select coalesce(json_agg(distinct set_aside_record.stream), '[]')
            from pipeline.set_aside_record
            where
                not set_aside_record.is_known
                and (
                    (
                        set_aside_record.owner_id = customer.customer_id
                        and set_aside_record.stream in ('order', 'case')
                    )
                    or (
                        set_aside_record.owner_id = cast(customer.client_id as text)
                        and set_aside_record.stream in ('invoice', 'service', 'pay_method', 'balance')
                    )
                )
        ),
        'cancelled_services', case when known.cancellations and customer.client_id is not null then (
            select coalesce(json_agg(distinct cancellation.service_id), '[]')
            from snapshot.service
            inner join snapshot.cancellation on cancellation.service_id = service.service_id
            where service.client_id = customer.client_id
        ) end,
        'service_changes', case when known.services and customer.client_id is not null then (
            select coalesce(json_agg(service_change), '[]')
            from (
                select
                    service.service_id,
                    status_transition.old_value,
                    status_transition.new_value,
                    status_transition.observed_at
                from snapshot.service
                inner join status_transition
                    on
                        status_transition.entity = 'service'
                        and status_transition.entity_id = cast(service.service_id as text)
                where
                    service.client_id = customer.client_id
                    and status_transition.field = 'status'
                    and status_transition.new_value in ('Active', 'Cancelled', 'Terminated')
                order by status_transition.transition_id
            ) as service_change
        ) else '[]' end,
        'pending', (
            select coalesce(json_agg(pending_transition), '[]')
            from (
                select
                    status_transition.transition_id,
                    status_transition.entity_id,
                    status_transition.notification_type as type
                from status_transition
                where status_transition.customer_id = customer.customer_id and status_transition.is_pending
                order by status_transition.transition_id
            ) as pending_transition
        ),
        'unresolved', (
            select coalesce(json_agg(standing_notification), '[]')
            from (
                select distinct notification.type, notification.source_id
                from notification
                where
                    notification.customer_id = customer.customer_id
                    and notification.resolved_at is null
                    and notification.type <> 'SYSTEM_ANNOUNCEMENT'
                order by notification.type, notification.source_id
            ) as standing_notification
        ),
        'reminders', (
            select coalesce(json_agg(reminder), '[]')
            from (
                select
                    type,
                    source_id,
                    notification_window.last_sent_at,
                    notification_window.discarded_at,
                    coalesce(waiting.is_held, false) as is_waiting
                from (
                    select * from pipeline.notification_window
                    where notification_window.customer_id = customer.customer_id
                ) as notification_window
                full join (
                    select * from pipeline.notification_outbox
                    where notification_outbox.customer_id = customer.customer_id and notification_outbox.is_held
                ) as waiting
                    using (type, source_id)
                where type in ('INVOICE_DUE', 'PAYMENT_METHOD_EXPIRING')
                order by type, source_id
            ) as reminder
        )
    ) as text) as facts
from customer
cross join known
