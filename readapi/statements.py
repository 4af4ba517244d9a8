"""The statements of sql/queries by name, each a transaction of its own."""

from __future__ import annotations

import psycopg

import sql
from config.errors import DatabaseAway
from readapi.connections import Connections, Row
from readapi.problems import unavailable

__all__ = ["Row", "Statements"]
RETRY_AFTER_SECONDS = 2
NOT_MIGRATED = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn, psycopg.errors.InvalidSchemaName)


class Statements:
    """Runs statements by name. A database that does not answer is a 503 Problem."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def one(self, name: str, **parameters: object) -> Row | None:
        """The first row of queries/<name>.sql, or None."""
        rows = self.all(name, **parameters)
        return rows[0] if rows else None

    def all(self, name: str, **parameters: object) -> list[Row]:
        """All rows of queries/<name>.sql; json columns come as the bytes stored."""
        try:
            return self._connections.run(sql.driver_text(name), parameters)
        except NOT_MIGRATED as error:
            raise unavailable(
                "not-migrated", "The database has no current schema; run me-status migrate.", retry_after=60
            ) from error
        except (DatabaseAway, psycopg.OperationalError) as error:
            raise unavailable(
                "database-down", "The database does not answer.", retry_after=RETRY_AFTER_SECONDS
            ) from error
