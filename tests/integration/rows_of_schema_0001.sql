-- Rows in every table of the first released schema, as that version wrote them. Frozen: later versions must keep them.

insert into job_run (job, due_at, started_at, finished_at, outcome, counts, error) values
    ('sync-salesforce', '2026-03-01 09:00+00', '2026-03-01 09:00:01+00', '2026-03-01 09:00:05+00', 'succeeded', '{"account": {"added": 2}}', null),
    ('sync-whmcs', null, '2026-03-01 09:01+00', '2026-03-01 09:01:05+00', 'held', '{}', 'held by the shrink gate'),
    ('refresh', '2026-03-01 09:02+00', '2026-03-01 09:02+00', null, 'running', '{}', null);

insert into snapshot.account (
    account_id, is_customer, eligibility_word, eligibility_status, eligibility_known, eligibility, eligibility_requested_at,
    eligibility_checked_at, eligibility_notes, verification_word, verification_status, verification_known,
    verification_submitted_at, verification_reviewed_at, verification_notes, whmcs_client_id, account_number, portal_user_id,
    created_at, modified_at
) values
    ('001000000000001AAA', true, 'Eligible', 'eligible', 'eligible', '1 Gbps', '2026-02-01 01:00+00', '2026-02-02 01:00+00',
        'a 漢字 note', null, 'not_submitted', 'not_submitted', null, null, null, 101, 'A-1', null, '2026-01-01 00:00+00', '2026-02-02 01:00+00'),
    ('001000000000002AAA', false, 'Perhaps', 'unknown', 'pending', null, null, null, null, 'Rejected', 'rejected', 'rejected',
        null, '2026-02-02 01:00+00', 'Unreadable', null, null, 'portal-2', null, null);
insert into snapshot."order" (order_id, account_id, order_number, status, activation_status, stage, effective_on, created_at, modified_at)
values ('801000000000001AAA', '001000000000001AAA', '00000100', 'Approved', null, 'approved', '2026-02-03', '2026-02-03 01:00+00', '2026-02-03 01:00+00');
insert into snapshot."case" (case_id, account_id, case_number, subject, status, is_closed, created_at, closed_at, modified_at)
values ('500000000000001AAA', '001000000000001AAA', '00001', 'No signal', 'New', false, '2026-02-03 01:00+00', null, '2026-02-03 01:00+00');
insert into snapshot.client (client_id, status, account_reference) values (101, 'Active', null), (102, 'Closed', 'A-1');
insert into snapshot.invoice (invoice_id, client_id, invoice_number, status, status_known, invoiced_on, due_on, paid_at, total, currency, created_at)
values (1042, 101, 'INV-1042', 'Unpaid', 'Unpaid', '2026-02-20', '2026-03-05', null, 3300.00, 'JPY', null),
    (1043, 101, null, 'Curious', 'Paid', null, null, '2026-02-21 01:00+00', 0.10, null, '2026-02-20 01:00+00');
insert into snapshot.service (service_id, client_id, status, status_known, product_name, registered_on, next_due_on)
values (7, 101, 'Active', 'Active', 'Home Internet', '2026-01-05', '2026-04-01');
insert into snapshot.pay_method (pay_method_id, client_id, kind, card_last_four, expires_on)
values (3, 101, 'RemoteCreditCard', '4242', '2026-03-31'), (4, 101, 'BankAccount', null, null);
insert into snapshot.cancellation (cancellation_id, service_id, kind, requested_at)
values (9, 7, 'End of Billing Period', '2026-02-25 01:00+00');

insert into me_status (
    customer_id, salesforce_account_id, whmcs_client_id, eligibility_status, verification_status, payment_method_count,
    active_service_count, open_order_count, open_case_count, unpaid_invoice_count, overdue_invoice_count, amount_due, currency,
    next_invoice_id, next_invoice_due_date, next_invoice_amount, task_count, top_task_type, document, content_hash, computed_at,
    next_change_at, next_notification_at, rules_version, run_id
) values (
    '001000000000001AAA', '001000000000001AAA', 101, 'eligible', 'not_submitted', 2, 1, 1, 1, 1, 0, 3300.00, 'JPY', 1042,
    '2026-03-05', 3300.00, 2, 'invoice_due', '{"summary": {"b": 1, "a": "3300.00"},  "tasks": []}', 'abc',
    '2026-03-01 09:02+00', '2026-03-05 15:00+00', null, 'v1', 3
);
insert into status_transition (customer_id, entity, entity_id, field, old_value, new_value, observed_at, source_changed_at, run_id, notification_type, is_pending)
values ('001000000000001AAA', 'account', '001000000000001AAA', 'eligibility_status', 'pending', 'eligible', '2026-02-02 01:05+00', null, 1, 'ELIGIBILITY_ELIGIBLE', true),
    (null, 'invoice', '1043', 'status', 'Unpaid', 'Paid', '2026-02-21 01:05+00', '2026-02-21 01:00+00', 1, null, false);
insert into notification (customer_id, type, source_id, title, message, action_url, action_label, created_at, read_at, dismissed_at, resolved_at, run_id)
values ('001000000000001AAA', 'INVOICE_DUE', '1042', 'Invoice due', 'Pay ¥3,300', '/account/billing/invoices', 'Pay', '2026-03-01 09:02+00', '2026-03-01 10:00+00', null, null, 3),
    ('001000000000001AAA', 'SYSTEM_ANNOUNCEMENT', 'announcement-1', 'Hello', 'There', '/account', null, '2026-02-01 09:00+00', null, '2026-02-01 10:00+00', '2026-02-01 11:00+00', 1);

insert into pipeline.stream_state (stream, cursor_at, synced_at, full_at, source_time, fields, run_id) values
    ('account', '2026-02-02 01:00+00', '2026-03-01 09:00+00', '2026-03-01 09:00+00', '2026-03-01 09:00+00', '{Id,Name}', 1),
    ('pay_method', null, '2026-03-01 09:01+00', null, null, '{}', 2);
update pipeline.source_state
set synced_at = '2026-03-01 09:00+00', organization_id = '00D000000000001AAA'
where source = 'salesforce';
update pipeline.source_state set failed_at = '2026-03-01 09:01+00', error = 'WHMCS: not allowed' where source = 'whmcs';
insert into pipeline.refresh_mark (customer_id, marked_at) values ('001000000000001AAA', '2026-03-01 09:01+00');
insert into pipeline.account_redirect (account_id, customer_id, merged_at)
values ('001000000000003AAA', '001000000000001AAA', '2026-02-15 01:00+00');
insert into pipeline.pay_method_rota (client_id, read_at) values (101, '2026-03-01 09:01+00');
insert into pipeline.refused_record (stream, record_id, field, reason, first_seen_at, last_seen_at, run_id)
values ('invoice', 'row 7 of GetInvoices', 'total', 'is no amount', '2026-02-01 01:00+00', '2026-03-01 01:00+00', 2);
insert into pipeline.notification_outbox (customer_id, type, source_id, title, message, action_url, action_label, window_seconds, decided_at, run_id, is_held)
values ('001000000000001AAA', 'CANCELLATION_SCHEDULED', '7', 'Cancellation', 'As you asked', '/account/services', null, 3600, '2026-03-01 09:02+00', 3, true);
insert into pipeline.notification_window (customer_id, type, source_id, last_sent_at, discarded_at) values
    ('001000000000001AAA', 'INVOICE_DUE', '1042', '2026-03-01 09:02+00', null),
    ('001000000000001AAA', 'PAYMENT_METHOD_EXPIRING', '3', null, '2026-02-28 09:00+00');
insert into pipeline.swallowed_notification (customer_id, type, source_id, swallowed_at, reason, passes_at, run_id)
values ('001000000000001AAA', 'INVOICE_DUE', '1042', '2026-03-01 09:03+00', 'window', '2026-03-02 09:02+00', 3);
insert into pipeline.sent_count (run_id, type, sent_at, sent) values (3, 'INVOICE_DUE', '2026-03-01 09:02+00', 1);
insert into pipeline.held_run (run_id, gate, source, summary, held_at, decision, decided_at) values
    (2, 'shrink', 'whmcs', '{"removals": {"invoice": 12}}', '2026-03-01 09:01+00', null, null),
    (1, 'flood', null, '{}', '2026-02-01 09:01+00', 'released', '2026-02-01 10:00+00');
insert into pipeline.held_removal (run_id, stream, record_id) values (2, 'invoice', '1041');
insert into pipeline.run_unit (run_id, unit, counts, committed_at) values (3, 'batch-0', '{"customers": 1}', '2026-03-01 09:02+00');
