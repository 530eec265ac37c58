"""asyncpg: pools and connections."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

from ..statements import Row, Statement


class _Connection(Protocol):
    async def fetch(self, query: str, *args: Any) -> Sequence[Any]: ...

    def transaction(self) -> AbstractAsyncContextManager[None]: ...


class _Pool(Protocol):
    async def fetch(self, query: str, *args: Any) -> Sequence[Any]: ...

    def acquire(self) -> AbstractAsyncContextManager[_Connection]: ...


class AsyncpgPool:
    """A pool of asyncpg."""

    is_pool = True

    def __init__(self, pool: _Pool) -> None:
        self._pool = pool

    async def query(self, statement: Statement) -> Sequence[Row]:
        """Run a statement on any connection."""
        return [tuple(row) for row in await self._pool.fetch(statement.sql, *statement.values)]

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[_Connection]:
        """Open a transaction on a connection of its own."""
        async with self._pool.acquire() as connection, connection.transaction():
            yield connection


class AsyncpgConnection:
    """One connection of asyncpg."""

    is_pool = False

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection

    async def query(self, statement: Statement) -> Sequence[Row]:
        """Run a statement in the connection's transaction, if it has one."""
        return [tuple(row) for row in await self._connection.fetch(statement.sql, *statement.values)]

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[_Connection]:
        """Open a transaction, or a savepoint."""
        async with self._connection.transaction():
            yield self._connection
