-- How many links are in doubt, by problem. Reads every link: for `doctor`.
select link_problem.problem, count(*) as links
from pipeline.link_problem
group by link_problem.problem
