"""One log over every driver: events, their transactions, attributed changes, and questions."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager

import asyncpg
import psycopg
import psycopg_pool
import pytest
import sqlalchemy
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from prisma_audit import AuditError, AuditLog, SyncAuditLog, user

ADA = user("ada", "ada@example.com")


def async_url(db) -> str:
    return db.url.replace("postgresql://", "postgresql+asyncpg://")


def sync_url(db) -> str:
    return db.url.replace("postgresql://", "postgresql+psycopg2://")


@asynccontextmanager
async def asyncpg_pool(db):
    async with asyncpg.create_pool(db.url, min_size=1, max_size=4) as pool:
        yield pool, "execute"


@asynccontextmanager
async def asyncpg_connection(db):
    connection = await asyncpg.connect(db.url)
    yield connection, "execute"
    await connection.close()


@asynccontextmanager
async def psycopg_async_pool(db):
    async with psycopg_pool.AsyncConnectionPool(db.url, min_size=1, max_size=4) as pool:
        yield pool, "execute"


@asynccontextmanager
async def psycopg_async_connection(db):
    async with await psycopg.AsyncConnection.connect(db.url) as connection:
        yield connection, "execute"


@asynccontextmanager
async def sqlalchemy_async_engine(db):
    engine = create_async_engine(async_url(db))
    yield engine, "text"
    await engine.dispose()


@asynccontextmanager
async def sqlalchemy_async_session(db):
    engine = create_async_engine(async_url(db))
    async with AsyncSession(engine) as session:
        yield session, "text"
    await engine.dispose()


ASYNC = [
    asyncpg_pool,
    asyncpg_connection,
    psycopg_async_pool,
    psycopg_async_connection,
    sqlalchemy_async_engine,
    sqlalchemy_async_session,
]


@contextmanager
def psycopg_sync_pool(db):
    with psycopg_pool.ConnectionPool(db.url, min_size=1, max_size=4) as pool:
        yield pool, "execute"


@contextmanager
def psycopg_sync_connection(db):
    with psycopg.connect(db.url) as connection:
        yield connection, "execute"


@contextmanager
def sqlalchemy_engine(db):
    engine = sqlalchemy.create_engine(sync_url(db))
    yield engine, "text"
    engine.dispose()


@contextmanager
def sqlalchemy_session(db):
    engine = sqlalchemy.create_engine(sync_url(db), future=True)
    with Session(engine, future=True) as session:
        yield session, "text"
    engine.dispose()


SYNC = [psycopg_sync_pool, psycopg_sync_connection, sqlalchemy_engine, sqlalchemy_session]


@pytest.fixture(scope="module", autouse=True)
def watched(db) -> None:
    db.sql("""SELECT audit_logs_watch('"public"."users"', 'user')""")
    db.sql(
        "INSERT INTO users (id, email, updated_at) VALUES (1, 'ada@example.com', now()), (2, 'bob@example.com', now())"
    )


def rename(kind: str, name: str):
    sql = f"UPDATE users SET name = '{name}' WHERE id = 1"
    return sqlalchemy.text(sql) if kind == "text" else sql


def expect_attributed(entry: dict, name: str, reason: str | None) -> None:
    assert (entry["action"], entry["actor_id"], entry["actor_email"]) == (
        "user.update",
        "ada",
        "ada@example.com",
    )
    assert (entry["request_id"], str(entry["ip"]), entry["reason"]) == ("req-1", "203.0.113.7", reason)
    assert entry["details"]["after"]["name"] == name
    assert entry["details"]["metadata"] == {"route": "/"}
    assert entry["details"]["source"]["role"] == "postgres"


CONTEXT = {"actor": ADA, "request_id": "req-1", "ip": "203.0.113.7", "metadata": {"route": "/"}}


@pytest.mark.parametrize("driver", ASYNC)
class TestAsync:
    async def test_an_event_is_durable_when_record_returns(self, db, driver) -> None:
        async with driver(db) as (connection, _):
            entry = await AuditLog(connection).record(
                "report.export", resource_id="42", details={"rows": 250}
            )
            assert db.last()["id"].hex == entry.id.replace("-", "")
            assert (entry.resource.type, entry.resource.id, entry.details) == ("report", "42", {"rows": 250})

    async def test_changes_carry_the_context_as_it_is_at_each_statement(self, db, driver) -> None:
        async with driver(db) as (connection, kind):
            audit = AuditLog(connection)
            async with audit.context(**CONTEXT), audit.transaction() as tx:
                await tx.execute(rename(kind, f"{driver.__name__} 1"))
                expected = [(f"{driver.__name__} 1", None)]
                async with audit.context(reason="ticket 42"):
                    await tx.execute(rename(kind, f"{driver.__name__} 2"))
                    expected.append((f"{driver.__name__} 2", "ticket 42"))
                with pytest.raises(ZeroDivisionError):
                    async with audit.context(reason="ticket 43"):
                        raise ZeroDivisionError
                await tx.execute(rename(kind, f"{driver.__name__} 3"))
                expected.append((f"{driver.__name__} 3", None))
            entries = db.entries()[-3:]
            for entry, (name, reason) in zip(entries, expected, strict=True):
                expect_attributed(entry, name, reason)
            assert len({entry["transaction_id"] for entry in entries}) == 1

    async def test_an_event_on_the_transaction_commits_with_it_or_not_at_all(self, db, driver) -> None:
        async with driver(db) as (connection, kind):
            audit = AuditLog(connection)
            before = db.count()
            with pytest.raises(ZeroDivisionError):
                async with audit.transaction() as tx:
                    await audit.on(tx).record("order.refund")
                    await tx.execute(rename(kind, "never"))
                    raise ZeroDivisionError
            assert db.count() == before
            async with audit.transaction() as tx:
                await audit.on(tx).record("order.refund")
                assert db.count() == before
            assert db.last()["action"] == "order.refund"

    async def test_what_the_database_refuses_leaves_a_failure(self, db, driver) -> None:
        async with driver(db) as (connection, kind):
            audit = AuditLog(connection)
            sql = "UPDATE users SET email = 'bob@example.com', name = 'secret value' WHERE id = 1"
            with pytest.raises(Exception, match="users_email_key"):
                async with audit.context(**CONTEXT), audit.transaction() as tx:
                    await tx.execute(sqlalchemy.text(sql) if kind == "text" else sql)
            entry = db.last()
            assert (entry["action"], entry["outcome"], entry["actor_id"]) == ("raw.execute", "failure", "ada")
            assert (
                entry["reason"] == '23505: duplicate key value violates unique constraint "users_email_key"'
            )
            assert entry["details"] == {"operation": "transaction", "metadata": {"route": "/"}}

    async def test_questions(self, db, driver) -> None:
        async with driver(db) as (connection, _):
            audit = AuditLog(connection)
            page = await audit.history("user", 1, limit=2)
            assert {entry.resource.id for entry in page.entries} == {"1"}
            older = await audit.history("user", 1, limit=1000, cursor=page.next_cursor)
            ids = [entry.seq for entry in [*page.entries, *older.entries]]
            assert ids == [
                row["seq"]
                for row in db.sql(
                    "SELECT seq FROM audit_logs WHERE resource_type = 'user' AND resource_id = '1' ORDER BY seq DESC"
                )
            ]
            assert [entry.seq async for entry in audit.stream(action="user.*")] == [
                row["seq"]
                for row in db.sql("SELECT seq FROM audit_logs WHERE action ~ '^user[.]' ORDER BY seq DESC")
            ]
            found = await audit.search(changed="name", actor_id="ada")
            assert found.entries
            assert all([change.field for change in entry.changes] == ["name"] for entry in found.entries)

    async def test_a_log_that_is_not_there(self, db, driver) -> None:
        async with driver(db) as (connection, _):
            audit = AuditLog(connection, table="elsewhere.log")
            with pytest.raises(AuditError) as caught:
                await audit.record("a.b")
            assert caught.value.code == "AUDIT_TABLE_MISSING"
            assert caught.value.entry["action"] == "a.b"
            with pytest.raises(AuditError) as caught:
                await audit.activity("ada")
            assert caught.value.code == "AUDIT_TABLE_MISSING"


@pytest.mark.parametrize("driver", SYNC)
class TestSync:
    def test_an_event_is_durable_when_record_returns(self, db, driver) -> None:
        with driver(db) as (connection, _):
            entry = SyncAuditLog(connection).record("report.export", resource_id=42)
            assert str(db.last()["id"]) == entry.id

    def test_changes_carry_the_context_as_it_is_at_each_statement(self, db, driver) -> None:
        with driver(db) as (connection, kind):
            audit = SyncAuditLog(connection)
            with audit.context(**CONTEXT), audit.transaction() as tx:
                tx.execute(rename(kind, f"{driver.__name__} 1"))
                with audit.context(reason="ticket 42"):
                    tx.execute(rename(kind, f"{driver.__name__} 2"))
                audit.on(tx).record("user.check")
            first, second, event = db.entries()[-3:]
            expect_attributed(first, f"{driver.__name__} 1", None)
            expect_attributed(second, f"{driver.__name__} 2", "ticket 42")
            assert event["action"] == "user.check"

    def test_what_the_database_refuses_leaves_a_failure(self, db, driver) -> None:
        with driver(db) as (connection, kind):
            audit = SyncAuditLog(connection)
            sql = "UPDATE users SET email = 'bob@example.com' WHERE id = 1"
            with pytest.raises(Exception, match="users_email_key"), audit.transaction() as tx:
                tx.execute(sqlalchemy.text(sql) if kind == "text" else sql)
            assert (db.last()["action"], db.last()["outcome"]) == ("raw.execute", "failure")

    def test_questions(self, db, driver) -> None:
        with driver(db) as (connection, _):
            audit = SyncAuditLog(connection)
            page = audit.history("user", 1, limit=1)
            assert audit.history("user", 1, cursor=page.next_cursor).entries[0].seq < page.entries[0].seq
            assert next(audit.stream()).seq == db.last()["seq"]


async def test_a_connection_of_the_other_kind_is_refused(db, pool) -> None:
    with pytest.raises(AuditError, match=r"SyncAuditLog can't use a asyncpg.pool.Pool. AuditLog takes it."):
        SyncAuditLog(pool)
    with pytest.raises(AuditError, match=r"AuditLog can't use a psycopg.Connection. SyncAuditLog takes it."):
        AuditLog(db.connection)
    with pytest.raises(AuditError, match=r"AuditLog can't use a builtins.str. Give an asyncpg pool"):
        AuditLog(db.url)


async def test_a_single_connection_has_no_queue(db) -> None:
    async with asyncpg_connection(db) as (connection, _):
        with pytest.raises(AuditError, match="need connections of their own"):
            await AuditLog(connection).queue("a.b")


async def test_a_task_that_outlives_a_transaction_says_nothing_to_its_connection(db) -> None:
    """The connection is somebody else's by then."""
    async with asyncpg.create_pool(db.url, min_size=1, max_size=1) as pool:
        audit = AuditLog(pool)
        may_go_on = asyncio.Event()

        async def straggler() -> None:
            async with audit.context(actor=user("early")):
                pass
            await may_go_on.wait()
            async with audit.context(actor=user("late")):
                pass

        async with audit.context(actor=ADA), audit.transaction() as tx:
            task = asyncio.create_task(straggler())
            await tx.execute("SELECT pg_sleep(0.01)")
            await tx.execute(rename("execute", "before"))
        async with audit.context(actor=user("bob")), audit.transaction() as tx:
            may_go_on.set()
            await task
            await tx.execute(rename("execute", "after"))
    assert [(e["details"]["after"]["name"], e["actor_id"]) for e in db.entries()[-2:]] == [
        ("before", "ada"),
        ("after", "bob"),
    ]


async def test_contexts_of_another_log_are_told_to_the_transaction_that_is_open(
    db, pool: asyncpg.Pool
) -> None:
    audit, other = AuditLog(pool), AuditLog(pool, table="elsewhere.log")
    async with audit.transaction() as tx, other.context(actor=user("carla")):
        await tx.execute(rename("execute", "carla"))
    assert db.last()["actor_id"] == "carla"
