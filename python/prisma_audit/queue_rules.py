"""What both queues have in common: how much they hold, how long they try, what goes into a batch."""

from __future__ import annotations

import dataclasses
import json
import logging
import random
import time
from collections import deque
from collections.abc import Sequence

from .database_errors import can_pass, concerns_every_entry, refused_entry
from .errors import AuditError
from .options import OnError

logger = logging.getLogger("prisma_audit")


@dataclasses.dataclass(frozen=True)
class Limits:
    """How much a queue holds and how long it tries, in characters of JSON and seconds."""

    entries: int = 10_000
    characters: int = 32 * 1024 * 1024
    batch_entries: int = 1_000
    batch_characters: int = 4 * 1024 * 1024
    #: how long to try an entry, from when it was queued
    retry: float = 60.0
    first_pause: float = 0.1
    longest_pause: float = 5.0
    #: how long one try waits for an answer: a server that vanished sends none
    answer: float = 20.0


@dataclasses.dataclass(frozen=True)
class QueuedRow:
    """A waiting entry, as JSON: its size is known."""

    text: str
    since: float


class Waiting:
    """The entries of a queue, and its bounds."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._rows: deque[QueuedRow] = deque()
        #: taken, but neither written nor given up
        self._entries = 0
        self._characters = 0
        self.taken = 0
        self.settled = 0

    def __bool__(self) -> bool:
        return bool(self._rows)

    def has_room_for(self, text: str) -> bool:
        """Whether another entry fits. One larger than the whole queue fits when it is alone."""
        if self._entries == 0:
            return True
        return self._entries < self.limits.entries and self._characters + len(text) <= self.limits.characters

    def take(self, text: str) -> None:
        """Take an entry."""
        self._rows.append(QueuedRow(text, time.monotonic()))
        self._entries += 1
        self._characters += len(text)
        self.taken += 1

    def next_batch(self) -> list[QueuedRow]:
        """Give the entries to write next; they count as held until they are settled."""
        batch: list[QueuedRow] = []
        characters = 0
        while self._rows and len(batch) < self.limits.batch_entries:
            characters += len(self._rows[0].text)
            if batch and characters > self.limits.batch_characters:
                break
            batch.append(self._rows.popleft())
        return batch

    def settle(self, batch: Sequence[QueuedRow]) -> None:
        """Note that entries are written or given up."""
        self._entries -= len(batch)
        self._characters -= sum(len(row.text) for row in batch)
        self.settled += len(batch)

    def pause(self, tries: int, deadline: float) -> float | None:
        """Give the seconds to wait before the next try; None when it is time to give up."""
        longest = min(self.limits.first_pause * 2**tries, self.limits.longest_pause)
        pause = longest * random.uniform(0.5, 1)
        return pause if time.monotonic() + pause < deadline else None


def halves(batch: Sequence[QueuedRow], error: BaseException) -> list[Sequence[QueuedRow]]:
    """Split a batch that the database refuses because of one entry; no halves when splitting can't help."""
    if len(batch) == 1 or can_pass(error) or concerns_every_entry(error):
        return []
    middle = (len(batch) + 1) // 2
    return [batch[:middle], batch[middle:]]


#: How many errors are kept for `flush()`; the rest are only counted.
_KEPT = 1_000


class UnwrittenEntries:
    """Queued entries that could not be written. Each is passed to `on_error`, or else kept for the next `flush()`."""

    def __init__(self, on_error: OnError | None) -> None:
        self._on_error = on_error
        self._errors: list[Exception] = []
        self._count = 0

    def report(self, error: BaseException, batch: Sequence[QueuedRow]) -> None:
        """Report entries that could not be written. Never raises."""
        for row in batch:
            refusal = refused_entry(error, json.loads(row.text))
            try:
                if self._on_error is None:
                    self._keep(refusal)
                else:
                    self._on_error(refusal)
            except Exception as raised:
                self._keep(refusal, raised)

    def raise_if_any(self) -> None:
        """Raise `AUDIT_NOT_WRITTEN` once, when there are entries that nobody was told about."""
        if self._count == 0:
            return
        count, errors = self._count, self._errors
        self._count, self._errors = 0, []
        entries, it = ("entry", "it") if count == 1 else ("entries", "them")
        each = f"the first {_KEPT}" if count > _KEPT else "each"
        raise AuditError(
            "AUDIT_NOT_WRITTEN",
            f"{count} queued {entries} could not be written, and no option on_error took {it}. errors has {each} with its "
            "entry. Set on_error to keep such entries elsewhere.",
            errors=errors,
        )

    def _keep(self, *errors: Exception) -> None:
        self._count += 1
        if self._count <= _KEPT:
            self._errors.extend(errors)
        # nobody may ever flush, so it is told here, too, with all that is needed to write it later
        refusal = errors[0]
        if isinstance(refusal, AuditError):
            logger.critical("%s %s", refusal, json.dumps(refusal.entry, ensure_ascii=False))
