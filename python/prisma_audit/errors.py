"""The one error of this package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: The stable codes of `AuditError`: those of the TypeScript package that can happen here. Compare these, never messages.
ERROR_CODES = {
    "AUDIT_INVALID_OPTIONS": "`AuditLog` or the middleware got options it can't use",
    "AUDIT_INVALID_CONTEXT": "a context holds a value that the log can't store",
    "AUDIT_TABLE_MISSING": "the log's table does not exist or lacks a column",
    "AUDIT_ACTOR_REQUIRED": "`require_actor` is set and there is no actor",
    "AUDIT_INVALID_EVENT": "an event holds a value that the log can't store",
    "AUDIT_INVALID_FILTER": "a question got a filter, id or page it can't use",
    "AUDIT_INVALID_CURSOR": "a cursor was changed, or belongs to another filter",
    "AUDIT_UNREADABLE": "the log could not be read: the database is away, or refuses",
    "AUDIT_NOT_WRITTEN": "an event or a queued entry could not be written; `entry` has it",
}


class AuditError(Exception):
    """What went wrong, why it is refused, and the fix.

    `code` is one of `ERROR_CODES`. With `AUDIT_NOT_WRITTEN` and `AUDIT_TABLE_MISSING`, `entry` is the entry that the log
    lacks, by the names of the log's columns; `errors` has one error for each entry where several could not be written.

    Example:
        >>> try:
        ...     await audit.record("report.export")
        ... except AuditError as error:
        ...     if error.code != "AUDIT_ACTOR_REQUIRED":
        ...         raise
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        entry: Mapping[str, Any] | None = None,
        errors: Sequence[Exception] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.entry = entry
        self.errors = tuple(errors)
