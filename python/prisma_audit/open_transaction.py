"""The transaction that a log has open around the running code, so that contexts inside it are told to the database."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from contextvars import ContextVar
from typing import Generic, TypeVar

Log = TypeVar("Log")


@dataclasses.dataclass
class OpenTransaction(Generic[Log]):
    """A transaction, and who works in it.

    Tasks and threads that are started inside inherit the variable. They may live longer than the transaction, whose
    connection then belongs to somebody else, and one connection can't do two things at a time: so it counts for its own
    task or thread alone, and until it ends.
    """

    #: the log on the transaction's connection
    log: Log
    worker: object = dataclasses.field(default_factory=lambda: current_worker())
    has_ended: bool = False


def current_worker() -> object:
    """Give the running task, or the running thread where there is none."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    return threading.get_ident() if task is None else task


def own(variable: ContextVar[OpenTransaction[Log] | None]) -> OpenTransaction[Log] | None:
    """Give the transaction that the running task or thread has open."""
    transaction = variable.get()
    if transaction is None or transaction.has_ended or transaction.worker != current_worker():
        return None
    return transaction
