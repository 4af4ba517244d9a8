-- How many links are in doubt, by problem.
select link_problem.problem, count(*) as links
from pipeline.link_problem
group by link_problem.problem
