"""The service's role has no privilege on the log: events go through the definer function, and nothing can be changed."""

from __future__ import annotations

import asyncpg
import psycopg
import pytest
from conftest import url_of

from prisma_audit import AuditError, AuditLog, user


@pytest.fixture(scope="module")
def role(db):
    name = f"service_{db.name[-12:]}"
    db.sql(f"CREATE ROLE {name} LOGIN PASSWORD '{name}'")
    db.sql(f"GRANT EXECUTE ON FUNCTION audit_logs_write_as_owner(jsonb) TO {name}")
    db.sql(f"GRANT SELECT, UPDATE ON users TO {name}")
    db.sql("""SELECT audit_logs_watch('"public"."users"', 'user')""")
    db.sql("INSERT INTO users (id, email, updated_at) VALUES (1, 'ada@example.com', now())")
    yield name
    db.sql(f"DROP OWNED BY {name}")
    db.sql(f"DROP ROLE {name}")


async def test_events_and_changes_without_a_privilege_on_the_log(db, role) -> None:
    async with asyncpg.create_pool(url_of(db.name, role), min_size=1) as pool:
        audit = AuditLog(pool)
        entry = await audit.record("report.export", actor=user("ada"))
        assert str(db.last()["id"]) == entry.id
        async with audit.context(actor=user("ada")), audit.transaction() as tx:
            await tx.execute("UPDATE users SET name = 'Ada' WHERE id = 1")
        assert (db.last()["action"], db.last()["actor_id"]) == ("user.update", "ada")
        assert db.last()["details"]["source"]["role"] == role
        for sql in (
            "INSERT INTO audit_logs (id) VALUES (gen_random_uuid())",
            "DELETE FROM audit_logs",
            "SELECT FROM audit_logs",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await pool.execute(sql)
        with pytest.raises(AuditError, match="GRANT the role SELECT on the table") as caught:
            await audit.activity("ada")
        assert caught.value.code == "AUDIT_UNREADABLE"


async def test_nobody_forges_an_entry_about_the_log(db, role) -> None:
    async with asyncpg.create_pool(url_of(db.name, role), min_size=1) as pool:
        before = db.count()
        with pytest.raises(AuditError, match="SQLSTATE ZA005") as caught:
            await AuditLog(pool).record("auditLog.unwatch")
        assert (caught.value.code, caught.value.entry["action"]) == ("AUDIT_NOT_WRITTEN", "auditLog.unwatch")
        assert db.count() == before


def test_entries_stay_as_they_are(db) -> None:
    with pytest.raises(psycopg.Error), psycopg.connect(db.url) as connection:
        connection.execute("UPDATE audit_logs SET action = 'a.b'")
