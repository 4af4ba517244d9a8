-- How many documents there are, and how many of them other rules made.
-- :rules_version  version of the rules
select
    count(*) as documents,
    count(*) filter (where me_status.rules_version <> cast(:rules_version as text)) as of_other_rules
from me_status
