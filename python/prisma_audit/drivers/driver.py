"""What a log needs of a driver."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, Protocol

from ..statements import Row, Statement


class AsyncDriver(Protocol):
    """An asyncpg, psycopg or SQLAlchemy connection, or what gives connections."""

    #: whether it gives connections of its own, so that entries survive the caller's rollback
    is_pool: bool

    async def query(self, statement: Statement) -> Sequence[Row]:
        """Run a statement: in the caller's transaction if it runs in one, else committed when this returns."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[Any]:
        """Open a transaction, or a savepoint inside one; gives the driver's own connection."""
        ...


class SyncDriver(Protocol):
    """The same without `await`."""

    is_pool: bool

    def query(self, statement: Statement) -> Sequence[Row]:
        """Run a statement: in the caller's transaction if it runs in one, else committed when this returns."""
        ...

    def transaction(self) -> AbstractContextManager[Any]:
        """Open a transaction, or a savepoint inside one; gives the driver's own connection."""
        ...


def is_a(value: object, module: str, *names: str) -> bool:
    """Whether a value is of one of a module's classes. If the module is not loaded, it can't be."""
    loaded = sys.modules.get(module)
    classes = tuple(found for name in names if (found := getattr(loaded, name, None)) is not None)
    return isinstance(value, classes)
