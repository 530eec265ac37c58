"""What an error of the database means. By SQLSTATE, never by message."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .entry import NewEntry
from .errors import AuditError
from .options import quoted_table
from .secret_names import REDACTED
from .texts import storable

#: PostgreSQL manual, appendix A: connection, transaction rollback, resources, operator intervention, system.
_PASSING_CLASSES = frozenset({"08", "40", "53", "57", "58"})
#: a lock that is not available
_PASSING_STATES = frozenset({"55P03"})
#: missing table, column, schema and function
MISSING_STATES = frozenset({"42P01", "42703", "3F000", "42883"})
#: a missing privilege, and a database that only reads
_REFUSING_ALL = frozenset({"42501", "25006"})


def sql_state(error: BaseException) -> str | None:
    """Give PostgreSQL's code of an error, wherever the driver or SQLAlchemy put it; None when the server sent none."""
    current: BaseException | None = error
    for _ in range(8):
        if current is None:
            return None
        for name in ("sqlstate", "pgcode"):
            state = getattr(current, name, None)
            if isinstance(state, str) and re.fullmatch("[0-9A-Z]{5}", state):
                return state
        original = getattr(current, "orig", None)
        current = original if isinstance(original, BaseException) else current.__cause__
    return None


def can_pass(error: BaseException) -> bool:
    """Whether the same statement could succeed later."""
    state = sql_state(error)
    return state is None or state[:2] in _PASSING_CLASSES or state in _PASSING_STATES


def concerns_every_entry(error: BaseException) -> bool:
    """Whether any other entry would be refused too."""
    return sql_state(error) in MISSING_STATES | _REFUSING_ALL


def refused_event(error: BaseException, entry: NewEntry, table: str) -> AuditError:
    """Say why an event that its caller waits for is not in the log."""
    if sql_state(error) in MISSING_STATES:
        return AuditError(
            "AUDIT_TABLE_MISSING",
            f"The audit log's table {quoted_table(table)} is not in the database, or lacks a column or a migration, so the "
            f'event {entry.action} could not be recorded. Run "npx prisma-extension-audit init" and "npx prisma migrate '
            "deploy\", or name the log's table with the option table.",
            entry=entry.row(),
        )
    return AuditError(
        "AUDIT_NOT_WRITTEN",
        f"The event {entry.action} is not in the log: {_reason(error)}. Nothing was written. See cause, and record it again "
        "once that is resolved.",
        entry=entry.row(),
    )


def swallowed_event(entry: NewEntry, table: str) -> AuditError:
    """Say that the insert was accepted and stored nothing."""
    return AuditError(
        "AUDIT_NOT_WRITTEN",
        f"The event {entry.action} is not in the log: a rule or a trigger on the table {quoted_table(table)} blocked it. "
        "Remove the rule or trigger; the log's own migrations have none on INSERT.",
        entry=entry.row(),
    )


def refused_entry(error: BaseException, row: Mapping[str, Any]) -> AuditError:
    """Say why a queued entry is not in the log."""
    refusal = AuditError(
        "AUDIT_NOT_WRITTEN",
        f"The queued entry {row['action']} could not be written: {_reason(error)}. It is no longer queued; keep the property "
        "entry if the log must have it later.",
        entry=row,
    )
    refusal.__cause__ = error
    return refusal


def unanswered_question(error: BaseException, table: str) -> AuditError:
    """Say why the log could not be read."""
    state, name = sql_state(error), quoted_table(table)
    if state in MISSING_STATES:
        return AuditError(
            "AUDIT_TABLE_MISSING",
            f"The audit log's table {name} is not in the database, or lacks a column or a migration, so it can't be asked. Run "
            '"npx prisma-extension-audit init" and "npx prisma migrate deploy", or name the log\'s table with the option '
            "table.",
        )
    if state is None:
        refusal = "the database did not answer. Make sure that it can be reached"
    else:
        fix = "GRANT the role SELECT on the table" if state == "42501" else "See cause"
        refusal = f"the database refused with SQLSTATE {state}. {fix}"
    return AuditError(
        "AUDIT_UNREADABLE", f"The audit log {name} could not be read: {refusal}, and ask again."
    )


def _reason(error: BaseException) -> str:
    state = sql_state(error)
    if state is None:
        return "the database did not answer"
    return f"the database refused it with SQLSTATE {state}"


#: Classes whose messages hold nothing but names: constraints, rollbacks, resources, states, the operator.
_NAMING_CLASSES = frozenset({"23", "40", "42", "53", "55", "57"})
#: a syntax error quotes whatever it finds
_SYNTAX_ERROR = "42601"


def failure_reason(error: BaseException) -> str | None:
    """Say why the database refused a statement, without values; None if it was not the database."""
    state = sql_state(error)
    if state is None:
        return None
    message = _server_message(error)
    if message is None or state[:2] not in _NAMING_CLASSES or state == _SYNTAX_ERROR:
        return f"{state}: {REDACTED}"
    return storable(f"{state}: {message}")[:2_000]


def _server_message(error: BaseException) -> str | None:
    current: BaseException | None = error
    for _ in range(8):
        if current is None:
            return None
        message = getattr(getattr(current, "diag", None), "message_primary", None) or getattr(
            current, "message", None
        )
        if isinstance(message, str) and sql_state(current) is not None:
            return message
        original = getattr(current, "orig", None)
        current = original if isinstance(original, BaseException) else current.__cause__
    return None
