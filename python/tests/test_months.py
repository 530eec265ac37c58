"""A log of months gives what the same entries in one table give, page by page, and is read from its newest months on."""

from __future__ import annotations

import itertools
import math
import re

import asyncpg
import psycopg
import pytest
from sqlalchemy import create_engine

from prisma_audit import AuditLog, AuditPage, SyncAuditLog

#: Entries over 84 months; some are older than all months, and some are dated ahead.
FILL = """
SELECT audit_logs_internal.partition_log('audit_logs');
SELECT audit_logs_internal.create_partitions('audit_logs', 1, now() - interval '84 months');
CREATE TABLE long_ago PARTITION OF audit_logs FOR VALUES FROM (MINVALUE) TO ('2010-01-01');
INSERT INTO audit_logs (id, "timestamp", action, actor_id, actor_type, resource_type, resource_id, outcome, details, request_id,
  organization_id, transaction_id)
SELECT (lpad(to_hex(floor(extract(epoch FROM time) * 1000)::int8), 12, '0')
    || '7' || substr(hash, 1, 3) || '8' || substr(hash, 4, 15))::uuid, time,
  (ARRAY['order.update', 'user.login', 'report.export', 'user.read'])[1 + n % 4], 'actor-' || n % 7, 'user',
  (ARRAY['order', 'user', 'report', 'user'])[1 + n % 4], CASE WHEN n % 28 <> 3 THEN (n % 11)::text END,
  CASE WHEN n % 5 = 0 THEN 'failure' ELSE 'success' END,
  CASE WHEN n % 28 = 3 THEN '{"ids": ["5", "x"]}' WHEN n % 4 = 0 THEN '{"changed": ["status"]}' END::jsonb,
  'request-' || n / 3, CASE WHEN n % 2 = 0 THEN 'organization-' || n % 3 END, 1000000000 + n / 5
FROM (
  SELECT n, md5(n::text) AS hash, CASE
    WHEN n <= 5 THEN '2003-05-06T07:08:09Z'
    WHEN n > 2495 THEN now() + interval '5 months'
    -- some of one moment
    ELSE now() - (2500 - n / 3 * 3) * interval '84 months' / 2500 END AS time
  FROM generate_series(1, 2500) AS n
) AS numbered;
ANALYZE audit_logs;
"""

#: The same entries in one table, in one partition, and in a few of which one has what fits in no other.
COPIES = {
    "one_table": "",
    "one_partition": "CREATE TABLE one_partition.p PARTITION OF {log} FOR VALUES FROM ('2000-01-01') TO (MAXVALUE);",
    "default_partition": """
        CREATE TABLE default_partition.rest PARTITION OF {log} DEFAULT;
        CREATE TABLE default_partition.old PARTITION OF {log} FOR VALUES FROM (MINVALUE) TO ('2022-01-01');
        CREATE TABLE default_partition.recent PARTITION OF {log} FOR VALUES FROM ('2022-01-01') TO ('2024-01-01');
        CREATE TABLE default_partition.ahead PARTITION OF {log} FOR VALUES FROM ('2300-01-01') TO ('2301-01-01');""",
}

SPAN = {"since": "2022-03-04T05:06:07Z", "until": "2024-05-06"}
QUESTIONS = [
    ("history", ("order", "4"), {}),
    ("history", ("user", "5"), {}),
    ("history", ("user", "nobody"), {}),
    ("accesses", ("user", "5"), {}),
    ("activity", ("actor-3",), {}),
    ("activity", ("nobody",), {}),
    ("failed_logins", (), SPAN),
    ("exports", (), {}),
    ("exports", (), SPAN),
    ("transaction_entries", (1_000_000_100,), {}),
    ("search", (), {}),
    ("search", (), SPAN),
    ("search", (), {"action": "user.login"}),
    ("search", (), {"action": ["user.login", "order.update"]}),
    ("search", (), {"action": ["user.*", "report.export"], "actor_id": "actor-2", "outcome": "failure"}),
    ("search", (), {"outcome": "failure"}),
    ("search", (), {"changed": "status", **SPAN}),
    ("search", (), {"resource_type": "order"}),
    ("search", (), {"resource_type": "order", "action": "*", "outcome": "failure"}),
    ("search", (), {"resource_type": "user", "resource_id": "4", "actor_id": "actor-3", **SPAN}),
    ("search", (), {"organization_id": "organization-0", **SPAN}),
    ("search", (), {"request_id": "request-77"}),
    ("search", (), {"since": "2200-01-01"}),
    ("search", (), {"until": "2003-05-06T07:08:10Z"}),
]


@pytest.fixture(scope="module", autouse=True)
def logs(db) -> None:
    db.sql(FILL)
    for schema, partitions in COPIES.items():
        log = f"{schema}.audit_logs"
        db.sql(f"CREATE SCHEMA {schema}")
        db.sql(
            f"CREATE TABLE {log} (LIKE audit_logs INCLUDING ALL) {'PARTITION BY RANGE (timestamp)' if partitions else ''}"
        )
        db.sql(partitions.format(log=log))
        db.sql(f"INSERT INTO {log} OVERRIDING SYSTEM VALUE SELECT * FROM audit_logs")
        db.sql(f"ANALYZE {log}")


async def pages_of(audit: AuditLog, helper: str, values: tuple, filter: dict) -> list[AuditPage]:
    """All pages of an answer, of different sizes."""
    pages: list[AuditPage] = []
    cursor = None
    for limit in itertools.cycle([1, 7, 50, 400]):
        pages.append(await getattr(audit, helper)(*values, **filter, limit=limit, cursor=cursor))
        cursor = pages[-1].next_cursor
        if cursor is None:
            return pages
    raise AssertionError


def sync_pages_of(audit: SyncAuditLog, helper: str, values: tuple, filter: dict) -> list[AuditPage]:
    pages: list[AuditPage] = []
    cursor = None
    for limit in itertools.cycle([1, 7, 50, 400]):
        pages.append(getattr(audit, helper)(*values, **filter, limit=limit, cursor=cursor))
        cursor = pages[-1].next_cursor
        if cursor is None:
            return pages
    raise AssertionError


@pytest.mark.parametrize(("helper", "values", "filter"), QUESTIONS)
async def test_the_pages_are_those_of_one_table(
    db, pool: asyncpg.Pool, helper: str, values: tuple, filter: dict
) -> None:
    expected = await pages_of(AuditLog(pool, table="one_table.audit_logs"), helper, values, filter)
    for table in ("audit_logs", "one_partition.audit_logs", "default_partition.audit_logs"):
        assert await pages_of(AuditLog(pool, table=table), helper, values, filter) == expected
    with psycopg.connect(db.url) as connection:
        assert sync_pages_of(SyncAuditLog(connection), helper, values, filter) == expected


async def test_everything_is_streamed_in_order(db, pool: asyncpg.Pool) -> None:
    ordered = db.sql('SELECT seq FROM audit_logs ORDER BY "timestamp" DESC, seq DESC')
    assert [entry.seq async for entry in AuditLog(pool).stream()] == [row["seq"] for row in ordered]
    with psycopg.connect(db.url) as connection:
        assert [entry.seq for entry in SyncAuditLog(connection).stream()] == [row["seq"] for row in ordered]


async def test_partitions_are_known_whatever_the_driver_and_the_settings_of_the_session(
    db, pool: asyncpg.Pool
) -> None:
    audit = AuditLog(pool)
    await audit.search(limit=1)
    known = audit._log._partitions
    assert len(known) > 84
    assert [one for one in known if one.lower == -math.inf or one.upper == math.inf] == known[:1]
    engine = create_engine(db.url.replace("postgresql://", "postgresql+psycopg2://"))
    settings = "-c DateStyle=Postgres,DMY -c TimeZone=Europe/Paris"
    with engine.connect() as first, psycopg.connect(db.url, options=settings) as second:
        for connection in (first, second):
            other = SyncAuditLog(connection)
            other.search(limit=1)
            assert other._log._partitions == known
    engine.dispose()


class RecordingDriver:
    """A driver that remembers the statements."""

    is_pool = False

    def __init__(self, driver) -> None:
        self.driver = driver
        self.sent: list = []

    async def query(self, statement):
        self.sent.append(statement)
        return await self.driver.query(statement)


@pytest.mark.parametrize(
    ("helper", "values", "filter"),
    [
        ("history", ("user", "5"), {}),
        ("activity", ("actor-3",), {}),
        ("exports", (), {}),
        ("search", (), {}),
        ("search", (), {"action": ["user.login", "order.update"]}),
        ("search", (), {"resource_type": "order"}),
        ("search", (), {"outcome": "failure"}),
    ],
)
async def test_a_first_page_is_planned_for_the_newest_months_only(
    db, pool: asyncpg.Pool, helper: str, values: tuple, filter: dict
) -> None:
    audit = AuditLog(pool)
    audit._driver = recording = RecordingDriver(audit._driver)
    await getattr(audit, helper)(*values, **filter, limit=1)
    partitions, *statements = recording.sent
    assert "pg_inherits" in partitions.sql
    read = set()
    for sql, given in statements:
        plan = await pool.fetch(f"EXPLAIN {sql}", *given)
        read |= set(re.findall(r" on (audit_logs_\w+|long_ago)", "\n".join(line[0] for line in plan)))
    # from the month before this one to that of what is dated ahead
    months = db.sql(
        """SELECT to_char(month, '"audit_logs_"YYYY_MM') AS name FROM generate_series(
            date_trunc('month', now()) - interval '1 month', now() + interval '5 months', interval '1 month') AS month"""
    )
    assert read == {month["name"] for month in months}

    # the partitions are known from now on
    recording.sent.clear()
    await getattr(audit, helper)(*values, **filter, limit=1)
    assert [statement.sql for statement in recording.sent] == [statement.sql for statement in statements]


async def test_the_first_entry_of_the_present_month_is_found_at_once(db, pool: asyncpg.Pool) -> None:
    db.sql("""CREATE SCHEMA fresh;
        CREATE TABLE fresh.audit_logs (LIKE audit_logs INCLUDING ALL) PARTITION BY RANGE (timestamp);
        CREATE TABLE fresh.past PARTITION OF fresh.audit_logs FOR VALUES FROM ('2020-01-01') TO ('2022-01-01');
        CREATE TABLE fresh.present PARTITION OF fresh.audit_logs FOR VALUES FROM ('2022-01-01') TO ('2200-01-01');
        CREATE TABLE fresh.ahead PARTITION OF fresh.audit_logs FOR VALUES FROM ('2200-01-01') TO ('2201-01-01');""")
    audit = AuditLog(pool, table="fresh.audit_logs")
    assert (await audit.activity("actor-3")).entries == []
    db.sql("""INSERT INTO fresh.audit_logs (id, "timestamp", action, actor_id, actor_type, resource_type)
        VALUES (gen_random_uuid(), now(), 'user.login', 'actor-3', 'user', 'user')""")
    assert [entry.action for entry in (await audit.activity("actor-3")).entries] == ["user.login"]
