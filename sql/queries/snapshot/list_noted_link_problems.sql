-- Links in doubt, of one kind, as the last sync that changed accounts or clients noted.
-- :problem  conflict, dangling or unlinked_client
-- :at_most  how many rows at most
select link_problem_since.customer_id, link_problem_since.client_id
from pipeline.link_problem_since
where link_problem_since.problem = :problem
order by link_problem_since.client_id, link_problem_since.customer_id
limit :at_most
