"""Which driver a connection, pool, engine or session belongs to."""

from __future__ import annotations

from typing import Any

from ..errors import AuditError
from . import asyncpg, psycopg, sqlalchemy
from .driver import AsyncDriver, SyncDriver, is_a


def async_driver(connection: Any) -> AsyncDriver:
    """Give the driver of something that is awaited.

    Raises:
        AuditError: `AUDIT_INVALID_OPTIONS` for anything else
    """
    driver = _find_async(connection)
    if driver is None:
        raise _refusal("AuditLog", connection, _ASYNC, "SyncAuditLog" if _find_sync(connection) else None)
    return driver


def sync_driver(connection: Any) -> SyncDriver:
    """Give the driver of something that is not awaited.

    Raises:
        AuditError: `AUDIT_INVALID_OPTIONS` for anything else
    """
    driver = _find_sync(connection)
    if driver is None:
        raise _refusal("SyncAuditLog", connection, _SYNC, "AuditLog" if _find_async(connection) else None)
    return driver


def _find_async(connection: Any) -> AsyncDriver | None:
    if is_a(connection, "asyncpg.pool", "Pool"):
        return asyncpg.AsyncpgPool(connection)
    if is_a(connection, "asyncpg.connection", "Connection") or is_a(
        connection, "asyncpg.pool", "PoolConnectionProxy"
    ):
        return asyncpg.AsyncpgConnection(connection)
    if is_a(connection, "psycopg_pool", "AsyncConnectionPool"):
        return psycopg.AsyncPsycopgPool(connection)
    if is_a(connection, "psycopg", "AsyncConnection"):
        return psycopg.AsyncPsycopgConnection(connection)
    if is_a(connection, "sqlalchemy.ext.asyncio", "AsyncEngine"):
        return sqlalchemy.AsyncEngine(connection)
    if is_a(connection, "sqlalchemy.ext.asyncio", "AsyncConnection", "AsyncSession", "async_scoped_session"):
        return sqlalchemy.AsyncUnit(connection)
    return None


def _find_sync(connection: Any) -> SyncDriver | None:
    if is_a(connection, "psycopg_pool", "ConnectionPool"):
        return psycopg.PsycopgPool(connection)
    if is_a(connection, "psycopg", "Connection"):
        return psycopg.PsycopgConnection(connection)
    if is_a(connection, "sqlalchemy.engine", "Engine"):
        return sqlalchemy.Engine(connection)
    if is_a(connection, "sqlalchemy.engine", "Connection") or is_a(
        connection, "sqlalchemy.orm", "Session", "scoped_session"
    ):
        return sqlalchemy.Unit(connection)
    return None


_ASYNC = (
    "an asyncpg pool or connection, an async pool or connection of psycopg 3, or an AsyncEngine, AsyncConnection or "
    "AsyncSession of SQLAlchemy"
)
_SYNC = "a pool or connection of psycopg 3, or an Engine, Connection or Session of SQLAlchemy"


def _refusal(log: str, connection: object, accepted: str, other: str | None) -> AuditError:
    given = f"{type(connection).__module__}.{type(connection).__qualname__}"
    hint = f" {other} takes it." if other else ""
    return AuditError("AUDIT_INVALID_OPTIONS", f"{log} can't use a {given}.{hint} Give {accepted}.")
