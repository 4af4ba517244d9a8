-- How many notifications of each type have been sent in all.
select
    type,
    count(*) as notifications
from notification
group by type
order by type
