"""The log for code that does not await: psycopg 3 and SQLAlchemy. Made from audit_log.py by generate_sync.py."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Literal

from . import questions, recorder
from .context import Actor, ContextFields, framed, parse_context
from .database_errors import failure_reason
from .drivers.choose import sync_driver
from .drivers.driver import SyncDriver
from .entry import AuditEntry, NewEntry, entry_of
from .errors import AuditError
from .event import EventFields, Identifier
from .open_transaction import OpenTransaction, own
from .options import FieldsByResource, OnError, Options
from .questions import Question
from .running import run
from .search.filter import Moment, RecordId, SearchFilter
from .search.page import AuditPage, position_of, read_page, read_rows
from .search.spans import SpannedLog
from .thread_queue import ThreadQueue
from .write import context_statement, write_event, write_rows

if TYPE_CHECKING:
    from typing_extensions import Unpack

_open: ContextVar[OpenTransaction[SyncAuditLog] | None] = ContextVar("prisma_audit_transaction", default=None)


class SyncAuditLog:
    """The audit log of a database, for code that does not await. `AuditLog` is the same with `await`.

    Args:
        connection: a pool or connection of psycopg 3, or an Engine, Connection or Session of SQLAlchemy
        table: the log's table, may be "schema.table"
        actor: who acts when no context names an actor; default `system("system")`
        require_actor: refuse an event without an actor
        redact: fields whose values the log must not hold, by resource; "*" means any: `{"order": ["iban"]}`
        redact_secrets: redact fields whose names suggest a secret: password, apiKey, …
        ignore: fields of `log_data_change` that are never listed as changed
        snapshot: "changed" keeps only changed fields in `log_data_change`
        flush_timeout: how many seconds `flush` waits for the database
        on_error: called with a queued entry that could not be written

    Raises:
        AuditError: `AUDIT_INVALID_OPTIONS`

    Example:
        >>> audit = SyncAuditLog(pool)
        >>> audit.record("report.export", resource_id="42", details={"rows": 250})
    """

    def __init__(
        self,
        connection: Any,
        *,
        table: str = "audit_logs",
        actor: Actor | None = None,
        require_actor: bool = False,
        redact: FieldsByResource | None = None,
        redact_secrets: bool = True,
        ignore: FieldsByResource | None = None,
        snapshot: Literal["full", "changed"] = "full",
        flush_timeout: float = 10.0,
        on_error: OnError | None = None,
    ) -> None:
        self._options = Options(
            table,
            actor,
            require_actor,
            redact or {},
            redact_secrets,
            ignore or {},
            snapshot,
            flush_timeout,
            on_error,
        )
        self._log = SpannedLog(table)
        self._driver = sync_driver(connection)
        self._queue: ThreadQueue | None = None
        if self._driver.is_pool:
            self._queue = ThreadQueue(self._writer(self._driver), on_error, flush_timeout)

    def __enter__(self) -> SyncAuditLog:
        """Use the log for a block, such as the life of an application; what it has queued is written at its end."""
        return self

    def __exit__(self, *_: object) -> None:
        self.flush()

    def on(self, connection: Any) -> SyncAuditLog:
        """Give the same log on a transaction's connection or session: its entries commit with the transaction.

        Example:
            >>> with audit.transaction() as tx:
            ...     tx.execute("UPDATE …")
            ...     audit.on(tx).record("order.refund", resource_id=42)
        """
        other = copy.copy(self)
        other._driver = sync_driver(connection)
        return other

    # events

    def record(self, action: str, **event: Unpack[EventFields]) -> AuditEntry:
        """Record an event and give its stored entry. On `audit.on(tx)` it commits with the transaction.

        Args:
            action: `resource.verb`, at most 100 characters
            event: `resource_type`, `resource_id`, `outcome`, `reason`, `details`, and whatever a context says

        Raises:
            AuditError: `AUDIT_INVALID_EVENT`, `AUDIT_INVALID_CONTEXT` or `AUDIT_ACTOR_REQUIRED` before anything is written;
                `AUDIT_TABLE_MISSING` or `AUDIT_NOT_WRITTEN` when the database refuses the entry

        Example:
            >>> audit.record("report.export", resource_id="q3", details={"format": "pdf"})
        """
        return self._write(recorder.event_entry(self._options, action, event))

    def queue(self, action: str, **event: Unpack[EventFields]) -> None:
        """Record an event later, in a batch; it survives a rollback.

        Returns when the queue has taken the event, and waits while the queue is full. An event that then can't be written
        goes to the option `on_error`.

        Raises:
            AuditError: as `record`, for what is refused before anything is written

        Example:
            >>> audit.queue("search.run", details={"terms": terms})
        """
        entry = recorder.event_entry(self._options, action, event)
        self._required_queue().add(entry.text())

    def log_login(
        self,
        user_id: Identifier,
        success: bool,
        *,
        reason: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> AuditEntry:
        """Record `user.login` with the user as actor. The reason of a failure is "login failed" if nothing else is given.

        Example:
            >>> audit.log_login("ada", success=False, reason="wrong password")
        """
        return self._write(recorder.login_entry(self._options, user_id, success, reason, details))

    def log_data_access(
        self, actor_id: Identifier, resource_type: str, resource_id: Identifier
    ) -> AuditEntry:
        """Record `<type>.read` by a user.

        Example:
            >>> audit.log_data_access(doctor.id, "patient", patient.id)
        """
        return self._write(recorder.access_entry(self._options, actor_id, resource_type, resource_id))

    def log_data_change(
        self,
        actor_id: Identifier,
        resource_type: str,
        resource_id: Identifier,
        verb: str,
        *,
        before: object = None,
        after: object = None,
    ) -> AuditEntry:
        """Record `<type>.<verb>` by a user, with the record before and after: for changes in another system.

        Example:
            >>> audit.log_data_change("ada", "setting", "theme", "update", before={"theme": "light"}, after=theme)
        """
        return self._write(
            recorder.change_entry(self._options, actor_id, resource_type, resource_id, verb, before, after)
        )

    def log_export(self, resource_type: str, details: Mapping[str, Any] | None = None) -> AuditEntry:
        """Record `<type>.export` by the actor of the context.

        Example:
            >>> audit.log_export("patient", {"format": "csv", "rows": 1200})
        """
        return self._write(recorder.export_entry(self._options, resource_type, details))

    def flush(self, timeout: float | None = None) -> None:
        """Return when every entry that was queued before is written, or was given to `on_error`.

        Args:
            timeout: seconds; default: the option `flush_timeout`

        Raises:
            AuditError: `AUDIT_NOT_WRITTEN` when entries could not be written and no `on_error` took them
        """
        if self._queue is not None:
            self._queue.flush(timeout)

    # contexts and transactions

    @contextmanager
    def context(self, **context: Unpack[ContextFields]) -> Iterator[None]:
        """Run a block in a context: every entry made inside has it. Contexts nest and merge.

        Inside `audit.transaction()` the statements of the block are attributed to it, too.

        Raises:
            AuditError: `AUDIT_INVALID_CONTEXT` before the block runs, when the log could not store a value

        Example:
            >>> with audit.context(actor=user("ada"), reason="monthly close"):
            ...     audit.record("books.close")
        """
        transaction = own(_open)
        parsed = parse_context(context)
        if transaction is None:
            with framed(parsed):
                yield
            return
        try:
            with framed(parsed):
                transaction.log._set_context()
                yield
        except BaseException:
            # where the transaction has failed this fails too, and so does whatever would be attributed wrongly
            with suppress(Exception):
                transaction.log._set_context()
            raise
        transaction.log._set_context()

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """Open a transaction whose changes of tables with triggers carry the actor and the request of the context.

        Gives the driver's own connection (of a session, the session). Inside a transaction it is a savepoint. What the
        database refuses is recorded as a failure, `raw.execute` or `transaction.commit`, which the rollback does not take
        along.

        Example:
            >>> with audit.context(actor=user("ada")), audit.transaction() as tx:
            ...     tx.execute("UPDATE …")
        """
        action = "raw.execute"
        try:
            with self._driver.transaction() as connection:
                transaction = OpenTransaction(self.on(connection))
                transaction.log._set_context()
                token = _open.set(transaction)
                try:
                    yield connection
                finally:
                    transaction.has_ended = True
                    _open.reset(token)
                action = "transaction.commit"
        except Exception as error:
            self._record_failure(action, error)
            raise

    # questions

    def history(
        self, resource_type: str, resource_id: RecordId, *, limit: int = 50, cursor: str | None = None
    ) -> AuditPage:
        """What happened to one record, newest first, reads included.

        Args:
            resource_type: as the log has it: "orderItem"
            resource_id: the value of its key, or the list of those of a composite key, in key order
            limit: 1 to 1,000
            cursor: `next_cursor` of the previous page

        Raises:
            AuditError: `AUDIT_INVALID_FILTER`, `AUDIT_INVALID_CURSOR`, `AUDIT_UNREADABLE`

        Example:
            >>> page = audit.history("order", 42, limit=20)
            >>> older = audit.history("order", 42, cursor=page.next_cursor)
        """
        return self._page(questions.history(resource_type, resource_id), limit, cursor)

    def accesses(
        self, resource_type: str, resource_id: RecordId, *, limit: int = 50, cursor: str | None = None
    ) -> AuditPage:
        """Who read one record: every action `*.read`, whatever else the read gave."""
        return self._page(questions.accesses(resource_type, resource_id), limit, cursor)

    def activity(self, actor_id: str, *, limit: int = 50, cursor: str | None = None) -> AuditPage:
        """What one actor did, newest first."""
        return self._page(questions.activity(actor_id), limit, cursor)

    def search(
        self, *, limit: int = 50, cursor: str | None = None, **filter: Unpack[SearchFilter]
    ) -> AuditPage:
        """Entries that meet all conditions given, newest first.

        Example:
            >>> page = audit.search(action="user.*", changed="email", since=date(2026, 11, 1))
        """
        return self._page(questions.search(filter), limit, cursor)

    def failed_logins(
        self, since: Moment, until: Moment | None = None, *, limit: int = 50, cursor: str | None = None
    ) -> AuditPage:
        """Logins that failed, as `log_login` records them; `since` is inclusive, `until` exclusive."""
        return self._page(questions.failed_logins(since, until), limit, cursor)

    def exports(
        self,
        since: Moment | None = None,
        until: Moment | None = None,
        *,
        limit: int = 50,
        cursor: str | None = None,
    ) -> AuditPage:
        """Who exported data: every action `*.export`."""
        return self._page(questions.exports(since, until), limit, cursor)

    def transaction_entries(
        self, transaction_id: int | str, *, limit: int = 50, cursor: str | None = None
    ) -> AuditPage:
        """What was committed together with an entry, by its `transaction_id`."""
        return self._page(questions.transaction(transaction_id), limit, cursor)

    def stream(self, **filter: Unpack[SearchFilter]) -> Iterator[AuditEntry]:
        """Give all entries that meet a filter, newest first, in constant memory.

        Example:
            >>> for entry in audit.stream(since="2026-01-01"):
            ...     print(entry.timestamp, entry.actor.id, entry.action)
        """
        conditions = questions.search(filter).conditions
        before = None
        while True:
            rows = run(self._driver, read_rows(self._log, conditions, before, _BATCH))
            for row in rows:
                yield entry_of(row)
            if len(rows) < _BATCH:
                return
            before = position_of(rows[-1])

    # inside

    def _page(self, question: Question, limit: int, cursor: str | None) -> AuditPage:
        asker, conditions = question
        return run(self._driver, read_page(self._log, asker, conditions, limit, cursor))

    def _write(self, entry: NewEntry) -> AuditEntry:
        return run(self._driver, write_event(self._options.table, entry))

    def _writer(self, driver: SyncDriver) -> Any:
        def write(rows: Sequence[str]) -> None:
            driver.query(write_rows(self._options.table, rows))

        return write

    def _set_context(self) -> None:
        context, _ = recorder.attributed_context(self._options)
        self._driver.query(context_statement(self._options.table, context))

    def _record_failure(self, action: str, error: Exception) -> None:
        """Record what the database refused. Never raises: the caller gets the error of the statement."""
        reason = failure_reason(error)
        if reason is None:
            return
        try:
            entry = recorder.failure_entry(self._options, action, reason)
            try:
                self._write(entry)
            except AuditError:
                self._required_queue().add(entry.text())
        except Exception as loss:
            recorder.report_loss(self._options, loss)

    def _required_queue(self) -> ThreadQueue:
        if self._queue is None:
            raise AuditError("AUDIT_INVALID_OPTIONS", recorder.NO_QUEUE)
        return self._queue


#: Entries that a stream holds at a time.
_BATCH = 100
