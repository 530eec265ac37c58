"""Pages of entries."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from ..database_errors import unanswered_question
from ..entry import WRITTEN, AuditEntry, entry_of
from ..errors import AuditError
from ..shape import Problems
from ..statements import Row, Steps
from .conditions import Conditions
from .cursor import Position, decode_cursor, encode_cursor
from .find import find_rows
from .spans import SpannedLog


@dataclasses.dataclass(frozen=True)
class AuditPage:
    """A page of entries, newest first."""

    entries: Sequence[AuditEntry]
    #: pass it as `cursor` to the same question for the next entries; None on the last page
    next_cursor: str | None


def read_page(
    log: SpannedLog, asker: str, conditions: Conditions, limit: int, cursor: str | None
) -> Steps[AuditPage]:
    """Read one page of the entries that meet the conditions.

    Args:
        log: the log to ask
        asker: the helper, by its name in TypeScript; no other accepts its cursors
        conditions: which entries
        limit: 1 to 1,000
        cursor: `next_cursor` of the previous page

    Raises:
        AuditError: `AUDIT_INVALID_FILTER`, `AUDIT_INVALID_CURSOR`, `AUDIT_UNREADABLE`
    """
    _check_page(limit, cursor)
    question = conditions.question(asker)
    before = None if cursor is None else decode_cursor(cursor, question)
    # one more than the page holds shows whether there is another page
    rows = yield from read_rows(log, conditions, before, limit + 1)
    page = rows[:limit]
    last = position_of(page[-1]) if len(rows) > limit else None
    return AuditPage([entry_of(row) for row in page], None if last is None else encode_cursor(last, question))


def read_rows(
    log: SpannedLog, conditions: Conditions, before: Position | None, count: int
) -> Steps[list[Row]]:
    """Read rows of the log; where the database gives no answer, the error is an AuditError."""
    try:
        return (yield from find_rows(log, conditions, before, count))
    except Exception as error:
        raise unanswered_question(error, log.table) from error


def position_of(row: Row) -> Position:
    """Give the place of a row."""
    microseconds, seq = row[len(WRITTEN) : len(WRITTEN) + 2]
    return Position(int(microseconds), int(seq))


def _check_page(limit: object, cursor: object) -> None:
    problems = Problems()
    if isinstance(limit, bool) or not isinstance(limit, int):
        problems.wrong_type("int", limit, "limit")
    elif limit < 1:
        problems.add("Too small: expected number to be >=1", "limit")
    elif limit > 1_000:
        problems.add("Too big: expected number to be <=1000", "limit")
    if cursor is not None and not isinstance(cursor, str):
        problems.add("must be the next_cursor of the previous page, or be left out", "cursor")
    if problems:
        raise AuditError("AUDIT_INVALID_FILTER", f"The page can't be used, and nothing was read: {problems}")
