"""SQLAlchemy: transactions carry who acts, with nothing to change in the application."""

from __future__ import annotations

from typing import Any

from .context import Actor
from .errors import AuditError
from .options import Options, quoted_table
from .recorder import attributed_context
from .write import context_text

_SENT = "prisma_audit_context"


def attribute_changes(engine: Any, *, table: str = "audit_logs", actor: Actor | None = None) -> None:
    """Attribute the changes of an engine's transactions to the context of the running code.

    Before the first statement of a transaction the engine says who acts, by `audit_logs_set_context`, and again where the
    context has changed since. Changes of tables with triggers then carry actor and request. A connection in the isolation
    level AUTOCOMMIT has no transactions, so its changes carry the database role.

    Args:
        engine: an Engine or AsyncEngine
        table: the log's table
        actor: who acts when no context names an actor

    Raises:
        AuditError: `AUDIT_INVALID_OPTIONS` when it is no engine

    Example:
        >>> engine = create_async_engine(url)
        >>> attribute_changes(engine)
        >>> async with audit.context(actor=user("ada")), AsyncSession(engine) as session, session.begin():
        ...     await session.execute(update(Order).values(status="PAID"))
    """
    from sqlalchemy import event, text
    from sqlalchemy.engine import Engine

    options = Options(table=table, actor=actor)
    target = getattr(engine, "sync_engine", engine)
    if not isinstance(target, Engine):
        raise AuditError(
            "AUDIT_INVALID_OPTIONS",
            f"attribute_changes can't use a {type(engine).__qualname__}. Give an Engine or AsyncEngine of SQLAlchemy.",
        )
    function = quoted_table(table, "_set_context").replace(":", "\\:")
    set_context = text(f"SELECT CAST({function}(CAST(CAST(:context AS text) AS jsonb)) AS text)")

    def attribute(connection: Any, *_: object) -> None:
        context, _has_actor = attributed_context(options)
        wanted = context_text(context)
        if connection.info.get(_SENT) == wanted or _is_autocommit(connection):
            return
        # first, since the statement below comes here too
        connection.info[_SENT] = wanted
        try:
            connection.execute(set_context, {"context": wanted})
        except BaseException:
            forget(connection)
            raise

    def forget(connection: Any, *_: object) -> None:
        # a savepoint's rollback takes back what was set inside it
        connection.info.pop(_SENT, None)

    event.listen(target, "before_cursor_execute", attribute)
    for name in ("begin", "commit", "rollback", "rollback_savepoint"):
        event.listen(target, name, forget)
    # the pool rolls back what a connection was given back with
    event.listen(target, "checkout", lambda _dbapi, record, _proxy: record.info.pop(_SENT, None))


def _is_autocommit(connection: Any) -> bool:
    return bool(connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT")
