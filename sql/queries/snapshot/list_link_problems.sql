-- Links in doubt, of one kind.
-- :problem  conflict, dangling or unlinked_client
-- :at_most  how many rows at most
select link_problem.customer_id, link_problem.client_id
from pipeline.link_problem
where link_problem.problem = :problem
order by link_problem.client_id, link_problem.customer_id
limit :at_most
