-- How long an invoice is overdue, in bands: the one home of the bands.
create or replace function analytics.age_bucket(due_on date, today date) returns text
language sql immutable parallel safe
return case
    when due_on is null then 'no due date'
    when due_on >= today then 'not overdue'
    when today - due_on <= 7 then '01-07 days'
    when today - due_on <= 30 then '08-30 days'
    when today - due_on <= 60 then '31-60 days'
    when today - due_on <= 90 then '61-90 days'
    else 'over 90 days'
end;
comment on function analytics.age_bucket(date, date) is 'How long what was due on due_on is overdue on today: no due date, not overdue, 01-07 days, 08-30 days, 31-60 days, 61-90 days or over 90 days.';
