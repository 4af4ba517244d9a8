-- One word per idea: a malformed record is set aside, dedupe suppresses a notification, and pay methods are read in a
-- round robin. Only names change; rows stay.

alter table pipeline.refused_record rename to set_aside_record;
alter index pipeline.refused_record_pkey rename to set_aside_record_pkey;
comment on column pipeline.set_aside_record.first_seen_at is 'The now of the run that set it aside first.';
comment on column pipeline.set_aside_record.last_seen_at is 'The now of the run that set it aside last.';
comment on column pipeline.set_aside_record.run_id is 'The run that set it aside last.';

alter table pipeline.swallowed_notification rename to suppressed_notification;
alter table pipeline.suppressed_notification rename column swallowed_id to suppressed_id;
alter table pipeline.suppressed_notification rename column swallowed_at to suppressed_at;
alter index pipeline.swallowed_notification_pkey rename to suppressed_notification_pkey;
alter index pipeline.swallowed_notification_customer rename to suppressed_notification_customer;
alter index pipeline.swallowed_notification_at rename to suppressed_notification_at;
alter sequence pipeline.swallowed_notification_swallowed_id_seq rename to suppressed_notification_suppressed_id_seq;
alter table pipeline.suppressed_notification
    rename constraint swallowed_notification_reason_check to suppressed_notification_reason_check;
comment on column pipeline.suppressed_notification.suppressed_at is 'The now at which it was suppressed.';

alter table pipeline.pay_method_rota rename to pay_method_reading;
alter index pipeline.pay_method_rota_pkey rename to pay_method_reading_pkey;
alter index pipeline.pay_method_rota_oldest rename to pay_method_reading_oldest;

alter index notification_standing rename to notification_unresolved;
