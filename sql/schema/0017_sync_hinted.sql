-- A run may be one of sync-hinted: the customers that hints name, read again and refreshed.

alter table job_run drop constraint job_run_job_check;
alter table job_run add constraint job_run_job_check check (
    job in ('sync-salesforce', 'sync-whmcs', 'sync-hinted', 'refresh', 'prune', 'rebuild', 'announce')
);
comment on column job_run.job is 'sync-salesforce, sync-whmcs, sync-hinted, refresh, prune, rebuild or announce.';
