"""The queue: entries are written later, in order, once each, and none is lost."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import asyncpg
import psycopg_pool
import pytest

from prisma_audit import AuditError, AuditLog, SyncAuditLog
from prisma_audit.async_queue import AsyncQueue
from prisma_audit.queue_rules import Limits
from prisma_audit.thread_queue import ThreadQueue


class Refused(Exception):
    def __init__(self, sqlstate: str | None = None) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


class Table:
    """What entries are written to; a list of what to do wrong first."""

    def __init__(self, *errors: Exception | None) -> None:
        self.errors = list(errors)
        self.batches: list[list[str]] = []
        self.is_poison = lambda row: False

    def write(self, rows) -> None:
        if self.errors and (error := self.errors.pop(0)) is not None:
            raise error
        if any(map(self.is_poison, rows)):
            raise Refused("22001")
        self.batches.append(list(rows))

    async def awrite(self, rows) -> None:
        await asyncio.sleep(0.001)
        self.write(rows)

    @property
    def rows(self) -> list[str]:
        return [row for batch in self.batches for row in batch]


def row(number: int) -> str:
    return f'{{"action": "a.b", "number": {number}}}'


QUICK = Limits(first_pause=0.001, longest_pause=0.01, retry=0.5)


@pytest.fixture(params=["async", "thread"])
def make(request):
    """A queue of each kind, with the same awaitable surface."""

    def made(table: Table, on_error=None, flush_timeout: float = 5, limits: Limits = QUICK):
        if request.param == "async":
            return AsyncQueue(table.awrite, on_error, flush_timeout, limits)
        queue = ThreadQueue(table.write, on_error, flush_timeout, limits)

        class Awaited:
            async def add(self, text: str) -> None:
                await asyncio.to_thread(queue.add, text)

            async def flush(self, timeout: float | None = None) -> None:
                await asyncio.to_thread(queue.flush, timeout)

        return Awaited()

    return made


async def test_in_order_in_batches_once_each(make) -> None:
    table = Table()
    queue = make(table, limits=Limits(batch_entries=7))
    for number in range(100):
        await queue.add(row(number))
    await queue.flush()
    assert table.rows == [row(number) for number in range(100)]
    assert max(map(len, table.batches)) <= 7


async def test_an_outage_is_waited_out(make) -> None:
    table = Table(Refused(), Refused("57P01"), Refused("40001"))
    queue = make(table)
    await queue.add(row(1))
    await queue.flush()
    assert table.rows == [row(1)]


async def test_an_entry_that_is_refused_takes_no_other_along(make) -> None:
    table, errors = Table(), []
    table.is_poison = lambda text: '"number": 13' in text
    queue = make(table, errors.append)
    await asyncio.gather(*[queue.add(row(number)) for number in range(20)])
    await queue.flush()
    assert sorted(table.rows) == sorted(row(number) for number in range(20) if number != 13)
    assert [(error.code, error.entry["number"]) for error in errors] == [("AUDIT_NOT_WRITTEN", 13)]
    assert "SQLSTATE 22001" in str(errors[0])


async def test_what_nobody_was_told_of_flush_says_once(make) -> None:
    table = Table(Refused("42501"))
    queue = make(table)
    await queue.add(row(1))
    with pytest.raises(
        AuditError, match="1 queued entry could not be written, and no option on_error took it"
    ) as caught:
        await queue.flush()
    assert caught.value.errors[0].entry["number"] == 1
    await queue.flush()


async def test_flush_gives_up_in_time_and_the_queue_goes_on(make) -> None:
    table, errors = Table(*[Refused()] * 10_000), []
    queue = make(table, errors.append, limits=Limits(first_pause=0.01, longest_pause=0.02))
    await queue.add(row(1))
    begin = time.monotonic()
    await queue.flush(0.2)
    assert time.monotonic() - begin < 2
    assert [error.entry["number"] for error in errors] == [1]
    table.errors.clear()
    await queue.add(row(2))
    await queue.flush()
    assert table.rows == [row(2)]


async def test_a_full_queue_lets_callers_wait(make) -> None:
    table = Table(*[Refused()] * 5)
    queue = make(table, limits=Limits(entries=3, first_pause=0.01, longest_pause=0.02))
    adding = [asyncio.create_task(queue.add(row(number))) for number in range(10)]
    await asyncio.sleep(0.005)
    assert sum(task.done() for task in adding) <= 3
    await asyncio.gather(*adding)
    await queue.flush()
    assert sorted(table.rows) == sorted(map(row, range(10)))


async def test_on_a_database(db, pool: asyncpg.Pool) -> None:
    audit = AuditLog(pool)
    with contextlib.suppress(ZeroDivisionError):
        async with audit.transaction():
            for number in range(2_500):
                await audit.queue("a.b", resource_id=number)
            raise ZeroDivisionError
    await audit.flush()
    assert [entry["resource_id"] for entry in db.entries()[-2_500:]] == list(map(str, range(2_500)))
    with psycopg_pool.ConnectionPool(db.url, min_size=1) as sync_pool:
        sync = SyncAuditLog(sync_pool)
        for number in range(100):
            sync.queue("sync.b", resource_id=number)
        sync.flush()
    assert [entry["resource_id"] for entry in db.entries()[-100:]] == list(map(str, range(100)))


def script(db, body: str, **keywords) -> subprocess.Popen:
    text = (
        "import asyncio, os, sys, asyncpg, psycopg_pool\nfrom prisma_audit import AuditLog, SyncAuditLog\n"
        + textwrap.dedent(body)
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "URL": db.url}
    return subprocess.Popen(
        [sys.executable, "-c", text], env=environment, stdout=subprocess.PIPE, text=True, **keywords
    )


def test_a_process_that_ends_writes_its_queue_out(db) -> None:
    body = """
        async def main():
            global pool
            pool = await asyncpg.create_pool(os.environ["URL"], min_size=1)
            audit = AuditLog(pool)
            for number in range(3000):
                await audit.queue("end.async", resource_id=number)
        asyncio.run(main())
    """
    with script(db, body) as process:
        assert process.wait(60) == 0
    assert db.sql("SELECT count(*) FROM audit_logs WHERE action = 'end.async'")[0]["count"] == 3_000
    body = """
        pool = psycopg_pool.ConnectionPool(os.environ["URL"], min_size=1)
        audit = SyncAuditLog(pool)
        for number in range(3000):
            audit.queue("end.sync", resource_id=number)
    """
    with script(db, body) as process:
        assert process.wait(60) == 0
    assert db.sql("SELECT count(*) FROM audit_logs WHERE action = 'end.sync'")[0]["count"] == 3_000


def test_a_killed_process_loses_no_acknowledged_entry(db) -> None:
    body = """
        async def main():
            async with asyncpg.create_pool(os.environ["URL"], min_size=8, max_size=8) as pool:
                audit = AuditLog(pool)
                async def work():
                    while True:
                        entry = await audit.record("kill.test")
                        os.write(1, f"{entry.id}\\n".encode())
                await asyncio.gather(*[work() for _ in range(8)])
        asyncio.run(main())
    """
    with script(db, body) as process:
        acknowledged = [process.stdout.readline().strip() for _ in range(200)]
        process.send_signal(signal.SIGKILL)
        acknowledged += [line.strip() for line in process.stdout if len(line) == 37]
    stored = {str(entry["id"]) for entry in db.entries()}
    assert len(acknowledged) >= 200
    assert set(acknowledged) <= stored


async def test_connections_that_are_cut_lose_and_double_nothing(db, pool: asyncpg.Pool) -> None:
    audit = AuditLog(pool)

    async def cut() -> None:
        for _ in range(10):
            await asyncio.sleep(0.02)
            db.sql(
                """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()"""
            )

    cutting = asyncio.create_task(cut())
    for number in range(5_000):
        await audit.queue("cut.test", resource_id=number)
        if number % 100 == 0:
            await asyncio.sleep(0.004)
    await cutting
    await audit.flush()
    rows = db.sql("SELECT resource_id FROM audit_logs WHERE action = 'cut.test' ORDER BY seq")
    assert [row["resource_id"] for row in rows] == list(map(str, range(5_000)))
