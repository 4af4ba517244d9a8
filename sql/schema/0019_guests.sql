-- Guests: notifications passed over while only listed customers are notified; and documents of other rules, found quickly.

alter table pipeline.suppressed_notification drop constraint suppressed_notification_reason_check;
alter table pipeline.suppressed_notification add constraint suppressed_notification_reason_check
check (reason in ('window', 'held', 'discarded', 'not_a_guest'));
comment on column pipeline.suppressed_notification.reason is 'window: one was sent within the dedupe window; held: the same one already waits in a held run; discarded: the operator discarded its run; not_a_guest: only listed customers were notified, and this one was not listed.';

create index me_status_rules_version on me_status (rules_version);
