"""psycopg 3: pools and connections, async and sync."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
)
from typing import Any

from ..statements import Row, Statement

#: psycopg's TransactionStatus.IDLE: no transaction is open
_IDLE = 0


def _sql(statement: Statement) -> str:
    return statement.rendered(lambda number: f"%(p{number})s", lambda text: text.replace("%", "%%"))


def _tuples(cursor: Any) -> Sequence[Row]:
    return [tuple(row) for row in cursor]


class AsyncPsycopgConnection:
    """A psycopg.AsyncConnection."""

    is_pool = False

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def query(self, statement: Statement) -> Sequence[Row]:
        """Run a statement in the connection's transaction, or in one of its own that is committed."""
        if self._connection.info.transaction_status != _IDLE:
            return await _run_async(self._connection, statement)
        async with self._connection.transaction():
            return await _run_async(self._connection, statement)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        """Open a transaction, or a savepoint."""
        async with self._connection.transaction():
            yield self._connection


class AsyncPsycopgPool:
    """A psycopg_pool.AsyncConnectionPool."""

    is_pool = True

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    async def query(self, statement: Statement) -> Sequence[Row]:
        """Run a statement on any connection."""
        async with self.transaction() as connection:
            return await _run_async(connection, statement)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        """Open a transaction on a connection of its own."""
        async with self._pool.connection() as connection, connection.transaction():
            yield connection


class PsycopgConnection:
    """A psycopg.Connection."""

    is_pool = False

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def query(self, statement: Statement) -> Sequence[Row]:
        """Run a statement in the connection's transaction, or in one of its own that is committed."""
        if self._connection.info.transaction_status != _IDLE:
            return _run(self._connection, statement)
        with self._connection.transaction():
            return _run(self._connection, statement)

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """Open a transaction, or a savepoint."""
        with self._connection.transaction():
            yield self._connection


class PsycopgPool:
    """A psycopg_pool.ConnectionPool."""

    is_pool = True

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    def query(self, statement: Statement) -> Sequence[Row]:
        """Run a statement on any connection."""
        with self.transaction() as connection:
            return _run(connection, statement)

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """Open a transaction on a connection of its own."""
        with self._pool.connection() as connection, connection.transaction():
            yield connection


async def _run_async(connection: Any, statement: Statement) -> Sequence[Row]:
    # a cursor of our own, since the connection's may make anything of its rows
    cursor: AbstractAsyncContextManager[Any] = connection.cursor(row_factory=_row_factory)
    async with cursor as opened:
        await opened.execute(_sql(statement), statement.named())
        return [tuple(row) for row in await opened.fetchall()]


def _run(connection: Any, statement: Statement) -> Sequence[Row]:
    cursor: AbstractContextManager[Any] = connection.cursor(row_factory=_row_factory)
    with cursor as opened:
        opened.execute(_sql(statement), statement.named())
        return _tuples(opened.fetchall())


def _row_factory(_cursor: object) -> Any:
    return tuple
