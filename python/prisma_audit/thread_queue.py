"""The queue of a SyncAuditLog: a thread that writes entries later, in order and in batches."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from .database_errors import can_pass
from .options import OnError
from .queue_rules import Limits, QueuedRow, UnwrittenEntries, Waiting, halves


class ThreadQueue:
    """Writes entries later: while one batch is being written, the next one gathers. When it is full, callers wait.

    Its thread lives as long as there is something to write, and keeps the process alive as long.
    """

    def __init__(
        self,
        write: Callable[[Sequence[str]], object],
        on_error: OnError | None,
        flush_timeout: float,
        limits: Limits | None = None,
    ) -> None:
        self._write_rows = write
        self._unwritten = UnwrittenEntries(on_error)
        self._flush_timeout = flush_timeout
        self._limits = limits or Limits()
        self._waiting = Waiting(self._limits)
        self._changed = threading.Condition()
        self._is_writing = False
        #: when to give up all that is in the queue
        self._last_moment = float("inf")

    def add(self, text: str) -> None:
        """Return when the queue has taken the entry; wait while it is full."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting.has_room_for(text))
            self._waiting.take(text)
            if not self._is_writing:
                self._is_writing = True
                threading.Thread(target=self._write_all, name="prisma_audit queue", daemon=False).start()

    def flush(self, timeout: float | None = None) -> None:
        """Return when every entry added before is written, or was passed to `on_error`.

        Args:
            timeout: how many seconds to wait; then all that is in the queue is given up

        Raises:
            AuditError: `AUDIT_NOT_WRITTEN` with the entries that could not be written and that no `on_error` took
        """
        seconds = self._flush_timeout if timeout is None else timeout
        with self._changed:
            target = self._waiting.taken
            if not self._changed.wait_for(lambda: self._waiting.settled >= target, seconds):
                self._last_moment = time.monotonic()
                self._changed.notify_all()
                # a statement that has been sent is waited for: the driver's own timeout ends it
                self._changed.wait_for(lambda: self._waiting.settled >= target)
        self._unwritten.raise_if_any()

    def _write_all(self) -> None:
        while True:
            with self._changed:
                batch = self._waiting.next_batch()
                if not batch:
                    self._is_writing = False
                    self._last_moment = float("inf")
                    return
            self._write(batch)
            with self._changed:
                self._waiting.settle(batch)
                self._changed.notify_all()

    def _write(self, batch: Sequence[QueuedRow]) -> None:
        try:
            self._insert(batch)
        except Exception as error:
            parts = halves(batch, error)
            for part in parts:
                self._write(part)
            if not parts:
                self._unwritten.report(error, batch)

    def _insert(self, batch: Sequence[QueuedRow]) -> None:
        texts = [row.text for row in batch]
        tries = 0
        while True:
            try:
                # the ids are known, so a second statement after a lost answer adds nothing
                self._write_rows(texts)
                return
            except Exception as error:
                deadline = min(batch[-1].since + self._limits.retry, self._last_moment)
                pause = self._waiting.pause(tries, deadline) if can_pass(error) else None
                if pause is None:
                    raise
            tries += 1
            with self._changed:
                self._changed.wait_for(lambda: time.monotonic() >= self._last_moment, pause)
