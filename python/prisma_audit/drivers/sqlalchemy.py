"""SQLAlchemy 1.4 and 2: engines, connections and sessions, async and sync."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from ..statements import Row, Statement


def executable(statement: Statement) -> Any:
    """Give a statement for SQLAlchemy's `execute`."""
    from sqlalchemy import text

    return text(statement.rendered(lambda number: f":p{number}", lambda sql: sql.replace(":", "\\:")))


class AsyncEngine:
    """An AsyncEngine."""

    is_pool = True

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    async def query(self, statement: Statement) -> Sequence[Row]:
        """Run a statement on any connection."""
        async with self._engine.begin() as connection:
            return _rows(await connection.execute(executable(statement), statement.named()))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        """Open a transaction on a connection of its own."""
        async with self._engine.begin() as connection:
            yield connection


class AsyncUnit:
    """An AsyncConnection or an AsyncSession."""

    is_pool = False

    def __init__(self, unit: Any) -> None:
        self._unit = unit

    async def query(self, statement: Statement) -> Sequence[Row]:
        """Run a statement in the transaction at hand, or in one of its own that is committed."""
        if self._unit.in_transaction():
            return _rows(await self._unit.execute(executable(statement), statement.named()))
        async with self._unit.begin():
            return _rows(await self._unit.execute(executable(statement), statement.named()))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        """Open a transaction, or a savepoint."""
        begin = self._unit.begin_nested if self._unit.in_transaction() else self._unit.begin
        async with begin():
            yield self._unit


class Engine:
    """An Engine."""

    is_pool = True

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def query(self, statement: Statement) -> Sequence[Row]:
        """Run a statement on any connection."""
        with self._engine.begin() as connection:
            return _rows(connection.execute(executable(statement), statement.named()))

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """Open a transaction on a connection of its own."""
        with self._engine.begin() as connection:
            yield connection


class Unit:
    """A Connection or a Session."""

    is_pool = False

    def __init__(self, unit: Any) -> None:
        self._unit = unit

    def query(self, statement: Statement) -> Sequence[Row]:
        """Run a statement in the transaction at hand, or in one of its own that is committed."""
        if self._unit.in_transaction():
            return _rows(self._unit.execute(executable(statement), statement.named()))
        with self._unit.begin():
            return _rows(self._unit.execute(executable(statement), statement.named()))

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """Open a transaction, or a savepoint."""
        begin = self._unit.begin_nested if self._unit.in_transaction() else self._unit.begin
        with begin():
            yield self._unit


def _rows(result: Any) -> Sequence[Row]:
    return [tuple(row) for row in result]
