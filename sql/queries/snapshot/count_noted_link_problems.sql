-- How many links are in doubt, by problem, as the last sync that changed accounts or clients noted.
select link_problem_since.problem, count(*) as links
from pipeline.link_problem_since
group by link_problem_since.problem
