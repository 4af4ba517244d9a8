"""Points: every statement that writes, and every commit, of a job is a place where it can be stopped from outside.

Triggers of the tests' own count the points a command passes, and at the chosen one wait for a lock that the tests
hold. A worker killed there has a statement under way in the server, or a commit.
"""

from __future__ import annotations

import time
from typing import Any

import psycopg

LOCK = 20_260_301
PRODUCT = "('public', 'snapshot', 'pipeline')"
COMMITS_OF = ("job_run", "run_unit", "stream_state", "held_run", "sent_count")
"""Tables with few rows, whose deferred triggers fire within the commit."""

SET_UP = f"""
create schema chaos;
create sequence chaos.points;
create table chaos.target (point bigint not null);
insert into chaos.target values (0);
create function chaos.pass_point() returns trigger language plpgsql as $$
begin
    if nextval('chaos.points') = (select point from chaos.target) then
        perform set_config('lock_timeout', '0', true);
        perform pg_advisory_xact_lock({LOCK});
    end if;
    return null;
end
$$;
do $$
declare
    relation record;
begin
    for relation in
        select namespace.nspname, class.relname
        from pg_class as class
        join pg_namespace as namespace on namespace.oid = class.relnamespace
        where namespace.nspname in {PRODUCT} and class.relkind = 'r'
    loop
        execute format(
            'create trigger chaos_before before insert or update or delete on %I.%I
             for each statement execute function chaos.pass_point()', relation.nspname, relation.relname);
        execute format(
            'create trigger chaos_after after insert or update or delete on %I.%I
             for each statement execute function chaos.pass_point()', relation.nspname, relation.relname);
        if relation.relname in {COMMITS_OF} then
            execute format(
                'create constraint trigger chaos_commit after insert or update on %I.%I deferrable initially deferred
                 for each row execute function chaos.pass_point()', relation.nspname, relation.relname);
        end if;
    end loop;
end
$$;
"""


class Points:
    """The triggers of one database and the lock at which they wait."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._connection = psycopg.connect(url, autocommit=True)

    def set_up(self) -> None:
        self._connection.execute(SET_UP)

    def aim(self, point: int) -> None:
        """The next command stops at this point (0: at none); counting starts anew."""
        if self._connection.closed:
            self._connection = psycopg.connect(self.url, autocommit=True)
        self._connection.execute("update chaos.target set point = %s", (point,))
        self._connection.execute("alter sequence chaos.points restart")
        if point:
            self._connection.execute("select pg_advisory_lock(%s)", (LOCK,))

    def passed(self) -> int:
        """How many points were passed since the last aim."""
        return int(self._one("select case when is_called then last_value else 0 end from chaos.points"))

    def waiting(self) -> int | None:
        """The server process that stands at the point; None when none does."""
        found = self._connection.execute(
            "select pid from pg_locks where locktype = 'advisory' and objid = %s and not granted", (LOCK,)
        ).fetchone()
        return None if found is None else int(found[0])

    def let_go(self) -> None:
        """What stands at the point goes on: a statement whose worker is dead is rolled back, a commit happens."""
        self._connection.execute("select pg_advisory_unlock_all()")

    def break_off(self) -> None:
        """What stands at the point ends where it is, and whatever else is left of the dead worker."""
        self._connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and application_name = 'me-status'"
        )
        self.let_go()

    def await_quiet(self) -> None:
        """Waits until the server has noticed that the worker is gone."""
        deadline = time.monotonic() + 30
        while self._one(
            "select count(*) from pg_stat_activity "
            "where datname = current_database() and application_name = 'me-status'"
        ):
            assert time.monotonic() < deadline, "the dead worker's server processes live on"
            time.sleep(0.002)

    def close(self) -> None:
        self._connection.close()

    def _one(self, query: str) -> Any:
        row = self._connection.execute(query).fetchone()
        assert row is not None
        return row[0]
