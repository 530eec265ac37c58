"""SQLAlchemy's transactions carry who acts, with nothing to change in the application."""

from __future__ import annotations

import contextlib

import pytest
import sqlalchemy
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from prisma_audit import AuditError, audit_context, system, user
from prisma_audit.sqlalchemy import attribute_changes

UPDATE = text("UPDATE users SET name = :name WHERE id = 1")


@pytest.fixture(scope="module", autouse=True)
def watched(db) -> None:
    db.sql("""SELECT audit_logs_watch('"public"."users"', 'user')""")
    db.sql("INSERT INTO users (id, email, updated_at) VALUES (1, 'ada@example.com', now())")


# 1.4 has engines of two kinds, those that begin transactions by themselves and those that do not
FUTURE = [False, True] if sqlalchemy.__version__.startswith("1.") else [True]


@pytest.fixture(params=FUTURE, ids=["future" if future else "1.4" for future in FUTURE])
def engine(request, db):
    url = db.url.replace("postgresql://", "postgresql+psycopg2://")
    engine = sqlalchemy.create_engine(url, future=request.param, pool_size=1, max_overflow=0)
    attribute_changes(engine)
    yield engine
    engine.dispose()


def who(db, count: int) -> list[tuple]:
    return [(e["details"]["after"]["name"], e["actor_id"], e["reason"]) for e in db.entries()[-count:]]


def test_each_transaction_and_each_statement_in_it(db, engine) -> None:
    with Session(engine, future=True) as session:
        with audit_context(actor=user("ada")):
            session.execute(UPDATE, {"name": "1"})
            with audit_context(reason="ticket 42"):
                session.execute(UPDATE, {"name": "2"})
            session.execute(UPDATE, {"name": "3"})
            session.commit()
        with audit_context(actor=user("bob")):
            session.execute(UPDATE, {"name": "4"})
            session.commit()
        session.execute(UPDATE, {"name": "5"})
        session.commit()
    assert who(db, 5) == [
        ("1", "ada", None),
        ("2", "ada", "ticket 42"),
        ("3", "ada", None),
        ("4", "bob", None),
        ("5", "system", None),
    ]
    assert db.last()["details"]["source"]["role"] == "postgres"


def test_a_savepoint_that_is_rolled_back_takes_nothing_along(db, engine) -> None:
    with Session(engine, future=True) as session, session.begin(), audit_context(actor=user("ada")):
        session.execute(UPDATE, {"name": "a"})
        with audit_context(reason="inner"):
            with contextlib.suppress(ZeroDivisionError), session.begin_nested():
                session.execute(UPDATE, {"name": "never"})
                raise ZeroDivisionError
            session.execute(UPDATE, {"name": "b"})
        session.execute(UPDATE, {"name": "c"})
    assert who(db, 3) == [("a", "ada", None), ("b", "ada", "inner"), ("c", "ada", None)]


def test_a_connection_from_the_pool_brings_nothing_along(db, engine) -> None:
    with audit_context(actor=user("ada")):
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        with engine.connect() as connection, connection.begin():
            connection.execute(UPDATE, {"name": "x"})
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE users SET name = 'y' WHERE id = 1")
    assert who(db, 2) == [("x", "ada", None), ("y", "ada", None)]


def test_one_more_statement_in_a_transaction_and_no_other(db, engine) -> None:
    sent = []
    sqlalchemy.event.listen(engine, "after_cursor_execute", lambda *values: sent.append(values[2]))
    with audit_context(actor=user("ada")), engine.begin() as connection:
        for name in "xyz":
            connection.execute(UPDATE, {"name": name})
    assert ["set_context" in statement for statement in sent] == [True, False, False, False]


async def test_async(db) -> None:
    engine = create_async_engine(db.url.replace("postgresql://", "postgresql+asyncpg://"))
    attribute_changes(engine, actor=system("worker"))
    async with AsyncSession(engine) as session:
        with audit_context(actor=user("ada"), metadata={"route": "/"}):
            await session.execute(UPDATE, {"name": "p"})
            await session.commit()
        await session.execute(UPDATE, {"name": "q"})
        await session.commit()
    await engine.dispose()
    assert who(db, 2) == [("p", "ada", None), ("q", "worker", None)]
    assert db.entries()[-2]["details"]["metadata"] == {"route": "/"}


def test_only_engines(db) -> None:
    with pytest.raises(AuditError, match="attribute_changes can't use a str"):
        attribute_changes(db.url)
