-- Notifications carry data beside their words, and an account may name its customer's language.

alter table notification
    add column tone text not null default 'info' check (tone in ('critical', 'warning', 'info', 'neutral')),
    add column about json not null default '{}';
comment on column notification.tone is 'How it is to be shown, as of tasks: critical, warning, info or neutral; info on what was sent before this column was there.';
comment on column notification.about is 'What it is about, as of tasks: the ids, names, amounts and dates that apply, by camelCase name.';

alter table pipeline.notification_outbox
    add column tone text not null default 'info',
    add column about json not null default '{}';
comment on column pipeline.notification_outbox.tone is 'As it will be sent.';
comment on column pipeline.notification_outbox.about is 'As it will be sent.';

alter table snapshot.account add column language text;
comment on column snapshot.account.language is 'The customer''s language: en or ja; null when the mapping names no field for it, or its value begins with neither.';
