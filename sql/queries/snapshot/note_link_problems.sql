-- Notes link problems that are new, and forgets those that are over.
-- :now     instant of the run
-- :run_id  the run
with over as (
    delete from pipeline.link_problem_since
    where not exists (
        select 1
        from pipeline.link_problem
        where
            link_problem.problem = link_problem_since.problem
            and link_problem.client_id is not distinct from link_problem_since.client_id
            and link_problem.customer_id is not distinct from link_problem_since.customer_id
    )
)

insert into pipeline.link_problem_since (problem, customer_id, client_id, since, run_id)
select
    link_problem.problem, link_problem.customer_id, link_problem.client_id, cast(:now as timestamptz),
    cast(:run_id as bigint)
from pipeline.link_problem
on conflict (problem, customer_id, client_id) do nothing
