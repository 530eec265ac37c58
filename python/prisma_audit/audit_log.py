"""The log for code that awaits: asyncpg, psycopg 3 and SQLAlchemy."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Literal

from . import questions, recorder
from .async_queue import AsyncQueue
from .context import Actor, ContextFields, framed, parse_context
from .database_errors import failure_reason
from .drivers.choose import async_driver
from .drivers.driver import AsyncDriver
from .entry import AuditEntry, NewEntry, entry_of
from .errors import AuditError
from .event import EventFields, Identifier
from .open_transaction import OpenTransaction, own
from .options import FieldsByResource, OnError, Options
from .questions import Question
from .running import run_async
from .search.filter import Moment, RecordId, SearchFilter
from .search.page import AuditPage, position_of, read_page, read_rows
from .search.spans import SpannedLog
from .write import context_statement, write_event, write_rows

if TYPE_CHECKING:
    from typing_extensions import Unpack

_open: ContextVar[OpenTransaction[AuditLog] | None] = ContextVar("prisma_audit_transaction", default=None)


class AuditLog:
    """The audit log of a database, for code that awaits. `SyncAuditLog` is the same without `await`.

    Args:
        connection: an asyncpg pool or connection, an async pool or connection of psycopg 3, or an AsyncEngine,
            AsyncConnection or AsyncSession of SQLAlchemy
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
        >>> audit = AuditLog(pool)
        >>> await audit.record("report.export", resource_id="42", details={"rows": 250})
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
        self._driver = async_driver(connection)
        self._queue: AsyncQueue | None = None
        if self._driver.is_pool:
            self._queue = AsyncQueue(self._writer(self._driver), on_error, flush_timeout)

    async def __aenter__(self) -> AuditLog:
        """Use the log for a block, such as the life of an application; what it has queued is written at its end."""
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.flush()

    def on(self, connection: Any) -> AuditLog:
        """Give the same log on a transaction's connection or session: its entries commit with the transaction.

        Example:
            >>> async with audit.transaction() as tx:
            ...     await tx.execute("UPDATE …")
            ...     await audit.on(tx).record("order.refund", resource_id=42)
        """
        other = copy.copy(self)
        other._driver = async_driver(connection)
        return other

    # events

    async def record(self, action: str, **event: Unpack[EventFields]) -> AuditEntry:
        """Record an event and give its stored entry. On `audit.on(tx)` it commits with the transaction.

        Args:
            action: `resource.verb`, at most 100 characters
            event: `resource_type`, `resource_id`, `outcome`, `reason`, `details`, and whatever a context says

        Raises:
            AuditError: `AUDIT_INVALID_EVENT`, `AUDIT_INVALID_CONTEXT` or `AUDIT_ACTOR_REQUIRED` before anything is written;
                `AUDIT_TABLE_MISSING` or `AUDIT_NOT_WRITTEN` when the database refuses the entry

        Example:
            >>> await audit.record("report.export", resource_id="q3", details={"format": "pdf"})
        """
        return await self._write(recorder.event_entry(self._options, action, event))

    async def queue(self, action: str, **event: Unpack[EventFields]) -> None:
        """Record an event later, in a batch; it survives a rollback.

        Returns when the queue has taken the event, and waits while the queue is full. An event that then can't be written
        goes to the option `on_error`.

        Raises:
            AuditError: as `record`, for what is refused before anything is written

        Example:
            >>> await audit.queue("search.run", details={"terms": terms})
        """
        entry = recorder.event_entry(self._options, action, event)
        await self._required_queue().add(entry.text())

    async def log_login(
        self,
        user_id: Identifier,
        success: bool,
        *,
        reason: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> AuditEntry:
        """Record `user.login` with the user as actor. The reason of a failure is "login failed" if nothing else is given.

        Example:
            >>> await audit.log_login("ada", success=False, reason="wrong password")
        """
        return await self._write(recorder.login_entry(self._options, user_id, success, reason, details))

    async def log_data_access(
        self, actor_id: Identifier, resource_type: str, resource_id: Identifier
    ) -> AuditEntry:
        """Record `<type>.read` by a user.

        Example:
            >>> await audit.log_data_access(doctor.id, "patient", patient.id)
        """
        return await self._write(recorder.access_entry(self._options, actor_id, resource_type, resource_id))

    async def log_data_change(
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
            >>> await audit.log_data_change("ada", "setting", "theme", "update", before={"theme": "light"}, after=theme)
        """
        return await self._write(
            recorder.change_entry(self._options, actor_id, resource_type, resource_id, verb, before, after)
        )

    async def log_export(self, resource_type: str, details: Mapping[str, Any] | None = None) -> AuditEntry:
        """Record `<type>.export` by the actor of the context.

        Example:
            >>> await audit.log_export("patient", {"format": "csv", "rows": 1200})
        """
        return await self._write(recorder.export_entry(self._options, resource_type, details))

    async def flush(self, timeout: float | None = None) -> None:
        """Return when every entry that was queued before is written, or was given to `on_error`.

        Args:
            timeout: seconds; default: the option `flush_timeout`

        Raises:
            AuditError: `AUDIT_NOT_WRITTEN` when entries could not be written and no `on_error` took them
        """
        if self._queue is not None:
            await self._queue.flush(timeout)

    # contexts and transactions

    @asynccontextmanager
    async def context(self, **context: Unpack[ContextFields]) -> AsyncIterator[None]:
        """Run a block in a context: every entry made inside has it. Contexts nest and merge.

        Inside `audit.transaction()` the statements of the block are attributed to it, too.

        Raises:
            AuditError: `AUDIT_INVALID_CONTEXT` before the block runs, when the log could not store a value

        Example:
            >>> async with audit.context(actor=user("ada"), reason="monthly close"):
            ...     await audit.record("books.close")
        """
        transaction = own(_open)
        parsed = parse_context(context)
        if transaction is None:
            with framed(parsed):
                yield
            return
        try:
            with framed(parsed):
                await transaction.log._set_context()
                yield
        except BaseException:
            # where the transaction has failed this fails too, and so does whatever would be attributed wrongly
            with suppress(Exception):
                await transaction.log._set_context()
            raise
        await transaction.log._set_context()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        """Open a transaction whose changes of tables with triggers carry the actor and the request of the context.

        Gives the driver's own connection (of a session, the session). Inside a transaction it is a savepoint. What the
        database refuses is recorded as a failure, `raw.execute` or `transaction.commit`, which the rollback does not take
        along.

        Example:
            >>> async with audit.context(actor=user("ada")), audit.transaction() as tx:
            ...     await tx.execute("UPDATE …")
        """
        action = "raw.execute"
        try:
            async with self._driver.transaction() as connection:
                transaction = OpenTransaction(self.on(connection))
                await transaction.log._set_context()
                token = _open.set(transaction)
                try:
                    yield connection
                finally:
                    transaction.has_ended = True
                    _open.reset(token)
                action = "transaction.commit"
        except Exception as error:
            await self._record_failure(action, error)
            raise

    # questions

    async def history(
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
            >>> page = await audit.history("order", 42, limit=20)
            >>> older = await audit.history("order", 42, cursor=page.next_cursor)
        """
        return await self._page(questions.history(resource_type, resource_id), limit, cursor)

    async def accesses(
        self, resource_type: str, resource_id: RecordId, *, limit: int = 50, cursor: str | None = None
    ) -> AuditPage:
        """Who read one record: every action `*.read`, whatever else the read gave."""
        return await self._page(questions.accesses(resource_type, resource_id), limit, cursor)

    async def activity(self, actor_id: str, *, limit: int = 50, cursor: str | None = None) -> AuditPage:
        """What one actor did, newest first."""
        return await self._page(questions.activity(actor_id), limit, cursor)

    async def search(
        self, *, limit: int = 50, cursor: str | None = None, **filter: Unpack[SearchFilter]
    ) -> AuditPage:
        """Entries that meet all conditions given, newest first.

        Example:
            >>> page = await audit.search(action="user.*", changed="email", since=date(2026, 11, 1))
        """
        return await self._page(questions.search(filter), limit, cursor)

    async def failed_logins(
        self, since: Moment, until: Moment | None = None, *, limit: int = 50, cursor: str | None = None
    ) -> AuditPage:
        """Logins that failed, as `log_login` records them; `since` is inclusive, `until` exclusive."""
        return await self._page(questions.failed_logins(since, until), limit, cursor)

    async def exports(
        self,
        since: Moment | None = None,
        until: Moment | None = None,
        *,
        limit: int = 50,
        cursor: str | None = None,
    ) -> AuditPage:
        """Who exported data: every action `*.export`."""
        return await self._page(questions.exports(since, until), limit, cursor)

    async def transaction_entries(
        self, transaction_id: int | str, *, limit: int = 50, cursor: str | None = None
    ) -> AuditPage:
        """What was committed together with an entry, by its `transaction_id`."""
        return await self._page(questions.transaction(transaction_id), limit, cursor)

    async def stream(self, **filter: Unpack[SearchFilter]) -> AsyncIterator[AuditEntry]:
        """Give all entries that meet a filter, newest first, in constant memory.

        Example:
            >>> async for entry in audit.stream(since="2026-01-01"):
            ...     print(entry.timestamp, entry.actor.id, entry.action)
        """
        conditions = questions.search(filter).conditions
        before = None
        while True:
            rows = await run_async(self._driver, read_rows(self._log, conditions, before, _BATCH))
            for row in rows:
                yield entry_of(row)
            if len(rows) < _BATCH:
                return
            before = position_of(rows[-1])

    # inside

    async def _page(self, question: Question, limit: int, cursor: str | None) -> AuditPage:
        asker, conditions = question
        return await run_async(self._driver, read_page(self._log, asker, conditions, limit, cursor))

    async def _write(self, entry: NewEntry) -> AuditEntry:
        return await run_async(self._driver, write_event(self._options.table, entry))

    def _writer(self, driver: AsyncDriver) -> Any:
        async def write(rows: Sequence[str]) -> None:
            await driver.query(write_rows(self._options.table, rows))

        return write

    async def _set_context(self) -> None:
        context, _ = recorder.attributed_context(self._options)
        await self._driver.query(context_statement(self._options.table, context))

    async def _record_failure(self, action: str, error: Exception) -> None:
        """Record what the database refused. Never raises: the caller gets the error of the statement."""
        reason = failure_reason(error)
        if reason is None:
            return
        try:
            entry = recorder.failure_entry(self._options, action, reason)
            try:
                await self._write(entry)
            except AuditError:
                await self._required_queue().add(entry.text())
        except Exception as loss:
            recorder.report_loss(self._options, loss)

    def _required_queue(self) -> AsyncQueue:
        if self._queue is None:
            raise AuditError("AUDIT_INVALID_OPTIONS", recorder.NO_QUEUE)
        return self._queue


#: Entries that a stream holds at a time.
_BATCH = 100
