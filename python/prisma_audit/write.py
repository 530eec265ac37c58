"""How entries reach the log: by the function that its migration made."""

from __future__ import annotations

from collections.abc import Sequence

from .context import AuditContext
from .database_errors import refused_event, swallowed_event
from .entry import COLUMNS, AuditEntry, NewEntry, entry_of
from .json_values import Json, to_text
from .options import quoted_table
from .statements import Statement, Steps


def write_event(table: str, entry: NewEntry) -> Steps[AuditEntry]:
    """Write an entry and give it as stored.

    Raises:
        AuditError: `AUDIT_TABLE_MISSING` or `AUDIT_NOT_WRITTEN`
    """
    try:
        rows = yield _write_statement(table, COLUMNS, [entry.text()])
    except Exception as error:
        raise refused_event(error, entry, table) from error
    if not rows:
        raise swallowed_event(entry, table)
    return entry_of(rows[0])


def write_rows(table: str, rows: Sequence[str]) -> Statement:
    """Give the statement that writes rows in order; existing ones are left unchanged."""
    return _write_statement(table, "CAST(id AS text)", rows)


def _write_statement(table: str, selected: str, rows: Sequence[str]) -> Statement:
    function = quoted_table(table, "_write")
    return Statement(
        f"SELECT {selected} FROM {function}(CAST(CAST($1 AS text) AS jsonb))", [f"[{','.join(rows)}]"]
    )


def context_statement(table: str, context: AuditContext | None) -> Statement:
    """Give the statement that says who acts, for the rest of the transaction; with None, nobody does any more."""
    function = quoted_table(table, "_set_context")
    if context is None:
        return Statement(f"SELECT CAST({function}(NULL) AS text)", [])
    return Statement(
        f"SELECT CAST({function}(CAST(CAST($1 AS text) AS jsonb)) AS text)", [context_text(context)]
    )


def context_text(context: AuditContext) -> str:
    """Give a context as JSON with the keys of the TypeScript `AuditContext`, as `audit_logs_set_context` takes it."""
    actor = context.actor
    said: dict[str, Json] = {
        "actor": None if actor is None else _said({"id": actor.id, "type": actor.type, "email": actor.email}),
        "requestId": context.request_id,
        "ip": context.ip,
        "userAgent": context.user_agent,
        "organizationId": context.organization_id,
        "reason": context.reason,
        "metadata": None if context.metadata is None else dict(context.metadata),
    }
    return to_text(_said(said))


def _said(values: dict[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in values.items() if value is not None}
