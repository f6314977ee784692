"""SQLite for a service: one connection a thread, explicit transactions, every statement a span.

Statements go through cursors, which the official instrumentation traces; what prepares a connection does not.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

BUSY_TIMEOUT_S = 2.0


class Database:
    """One file, opened anew by every thread that uses it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = threading.local()

    def create(self, script: str, rows: dict[str, Sequence[tuple[Any, ...]]]) -> None:
        """Run the schema and fill it, untraced: `rows` maps an INSERT statement to its parameters."""
        connection = self._connection()
        connection.executescript(script)
        connection.execute("BEGIN")
        for statement, parameters in rows.items():
            connection.executemany(statement, parameters)
        connection.execute("COMMIT")

    def query(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Return all rows of one reading statement."""
        with closing(self._connection().cursor()) as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall()

    @contextmanager
    def cursor(self) -> Iterator[sqlite3.Cursor]:
        """Give a traced cursor; a transaction that is still open at the end is rolled back."""
        connection = self._connection()
        with closing(connection.cursor()) as cursor:
            try:
                yield cursor
            finally:
                if connection.in_transaction:
                    cursor.execute("ROLLBACK")

    def _connection(self) -> sqlite3.Connection:
        if not hasattr(self._thread, "connection"):
            connection = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            self._thread.connection = connection
        return self._thread.connection
