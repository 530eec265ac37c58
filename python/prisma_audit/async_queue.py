"""The queue of an AuditLog: a task that writes entries later, in order and in batches."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextvars import Context

from .database_errors import can_pass
from .options import OnError
from .queue_rules import Limits, QueuedRow, UnwrittenEntries, Waiting, halves

Write = Callable[[Sequence[str]], Awaitable[object]]


class AsyncQueue:
    """Writes entries later: while one batch is being written, the next one gathers. When it is full, callers wait.

    It belongs to the event loop that uses it.
    """

    def __init__(
        self, write: Write, on_error: OnError | None, flush_timeout: float, limits: Limits | None = None
    ) -> None:
        self._write_rows = write
        self._unwritten = UnwrittenEntries(on_error)
        self._flush_timeout = flush_timeout
        self._limits = limits or Limits()
        self._waiting = Waiting(self._limits)
        self._progress = asyncio.Event()
        self._line = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        #: when to give up all that is in the queue
        self._last_moment = float("inf")
        self._interrupted = asyncio.Event()

    async def add(self, text: str) -> None:
        """Return when the queue has taken the entry; wait while it is full."""
        async with self._line:
            while not self._waiting.has_room_for(text):
                await self._progress.wait()
            self._waiting.take(text)
        self._start()

    async def flush(self, timeout: float | None = None) -> None:
        """Return when every entry added before is written, or was passed to `on_error`.

        Args:
            timeout: how many seconds to wait; then all that is in the queue is given up

        Raises:
            AuditError: `AUDIT_NOT_WRITTEN` with the entries that could not be written and that no `on_error` took
        """
        seconds = self._flush_timeout if timeout is None else timeout
        handle = asyncio.get_running_loop().call_later(seconds, self._give_up)
        try:
            async with self._line:
                target = self._waiting.taken
            while self._waiting.settled < target:
                self._start()
                await self._progress.wait()
        finally:
            handle.cancel()
        self._unwritten.raise_if_any()

    def _start(self) -> None:
        if self._task is None or self._task.done():
            # in no request's context, and not of a task group's
            self._task = Context().run(lambda: asyncio.ensure_future(self._write_all()))

    def _give_up(self) -> None:
        self._last_moment = time.monotonic()
        self._interrupted.set()

    async def _write_all(self) -> None:
        await self._even_if_cancelled(
            functools.partial(asyncio.sleep, 0)
        )  # entries queued in one turn of the event loop go together
        while self._waiting:
            batch = self._waiting.next_batch()
            await self._write(batch)
            self._waiting.settle(batch)
            progress, self._progress = self._progress, asyncio.Event()
            progress.set()
        self._last_moment = float("inf")
        self._interrupted.clear()

    async def _write(self, batch: Sequence[QueuedRow]) -> None:
        try:
            await self._insert(batch)
        except Exception as error:
            parts = halves(batch, error)
            for part in parts:
                await self._write(part)
            if not parts:
                self._unwritten.report(error, batch)

    async def _insert(self, batch: Sequence[QueuedRow]) -> None:
        texts = [row.text for row in batch]
        tries = 0
        while True:
            try:
                # the ids are known, so a second statement after a lost answer adds nothing
                await self._even_if_cancelled(functools.partial(self._answered, texts))
                return
            except Exception as error:
                deadline = min(batch[-1].since + self._limits.retry, self._last_moment)
                pause = self._waiting.pause(tries, deadline) if can_pass(error) else None
                if pause is None:
                    raise
            tries += 1
            await self._even_if_cancelled(functools.partial(self._sleep, pause))

    async def _answered(self, texts: Sequence[str]) -> None:
        """Write rows, but wait neither for a server that vanished nor longer than a flush does."""
        writing = asyncio.ensure_future(self._write_rows(texts))
        interrupted = asyncio.ensure_future(self._interrupted.wait())
        try:
            await asyncio.wait(
                {writing, interrupted}, timeout=self._limits.answer, return_when=asyncio.FIRST_COMPLETED
            )
            if not writing.done():
                raise TimeoutError("The database gave no answer in time")
            writing.result()
        finally:
            writing.cancel()
            interrupted.cancel()

    async def _sleep(self, pause: float) -> None:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._interrupted.wait(), pause)

    async def _even_if_cancelled(self, work: Callable[[], Coroutine[object, object, object]]) -> None:
        """Do work although the loop is ending, as long as a flush would take: `asyncio.run` cancels every task at its end."""
        while True:
            task = asyncio.ensure_future(work())
            try:
                await asyncio.shield(task)
                return
            except asyncio.CancelledError:
                if time.monotonic() > self._last_moment:
                    raise
                if self._last_moment == float("inf"):
                    self._last_moment = time.monotonic() + self._flush_timeout
                    asyncio.get_running_loop().call_later(self._flush_timeout, self._interrupted.set)
                await asyncio.wait({task})
                if not task.cancelled():
                    task.result()
                    return
