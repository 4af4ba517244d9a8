"""The bare function on fastpysgi, run by fastpysgi's own interpreter: `python -m tests.benchmarks.rival_fastpysgi
DATABASE_URL PORT`. It calls the function in its one event loop, so that there are no threads to set."""

from __future__ import annotations

import sys

import fastpysgi  # type: ignore[import-not-found, unused-ignore]

from tests.benchmarks.api_bare import load


def main() -> None:
    """Serves until SIGTERM."""
    database_url, port = sys.argv[1:]
    fastpysgi.server.tcp_nodelay = 1
    fastpysgi.server.init(load(database_url), "127.0.0.1", int(port))
    fastpysgi.server.run()


if __name__ == "__main__":
    main()
