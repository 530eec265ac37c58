"""Makes prisma_audit/sync_audit_log.py from audit_log.py: the same without `await`. A test checks that it is so."""

from __future__ import annotations

import re
import sys
from pathlib import Path

HERE = Path(__file__).parent / "prisma_audit"
SOURCE, TARGET = HERE / "audit_log.py", HERE / "sync_audit_log.py"

REPLACEMENTS = [
    (
        r'"""The log for code that awaits: asyncpg, psycopg 3 and SQLAlchemy\."""',
        '"""The log for code that does not await: psycopg 3 and SQLAlchemy. Made from audit_log.py by generate_sync.py."""',
    ),
    (
        r"for code that awaits\. `SyncAuditLog` is the same without `await`\.",
        "for code that does not await. `AuditLog` is the same with `await`.",
    ),
    (
        r"an asyncpg pool or connection, an async pool or connection of psycopg 3, or an AsyncEngine,\n"
        r" +AsyncConnection or AsyncSession of SQLAlchemy",
        "a pool or connection of psycopg 3, or an Engine, Connection or Session of SQLAlchemy",
    ),
    (r"__a(enter|exit)__", r"__\1__"),
    (r"\basync (def|with|for) ", r"\1 "),
    (r"\bawait ", ""),
    (r"\basynccontextmanager\b", "contextmanager"),
    (r"\bAsyncIterator\b", "Iterator"),
    (r"\basync_queue import AsyncQueue\b", "thread_queue import ThreadQueue"),
    (r"\bAsyncQueue\b", "ThreadQueue"),
    (r"\bAsyncDriver\b", "SyncDriver"),
    (r"\basync_driver\b", "sync_driver"),
    (r"\brun_async\b", "run"),
    (r"\bAuditLog\b", "SyncAuditLog"),
    (r"the audit log of a database, for code that does not await\. `SyncAuditLog`", r"`AuditLog`"),
    (r"not await\. `SyncAuditLog` is the same with", "not await. `AuditLog` is the same with"),
    (r"from \.thread_queue import ThreadQueue\n", ""),
    (
        r"(from \.statements[^\n]*\n)?from \.write import",
        "from .thread_queue import ThreadQueue\nfrom .write import",
    ),
    (r"import contextmanager, suppress", "import contextmanager, suppress"),
]


def generated() -> str:
    """Give the text of the target."""
    text = SOURCE.read_text()
    for pattern, replacement in REPLACEMENTS:
        text = re.sub(pattern, replacement, text)
    return text


if __name__ == "__main__":
    TARGET.write_text(generated())
    sys.stdout.write(f"{TARGET}\n")
