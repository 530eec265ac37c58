"""A database of each test module's own, cloned from the template that scripts/python.ts made."""

from __future__ import annotations

import asyncio
import json
import os
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import psycopg
import pytest
import pytest_asyncio
from psycopg.rows import dict_row

from prisma_audit import AuditLog

SERVER = os.environ.get("AUDIT_SERVER_URL", "")
TEMPLATE = os.environ.get("AUDIT_TEMPLATE", "")


def pytest_configure() -> None:
    if not SERVER or not TEMPLATE:
        pytest.exit("Run the tests with: npm run test:python", returncode=2)


def url_of(database: str, user: str | None = None) -> str:
    parts = urlsplit(SERVER)
    netloc = parts.netloc if user is None else f"{user}:{user}@{parts.netloc.rsplit('@', 1)[-1]}"
    return urlunsplit(parts._replace(netloc=netloc, path=f"/{database}"))


class Database:
    """A database, and what a test asks it outside of the package."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.url = url_of(name)
        self.connection = psycopg.connect(self.url, autocommit=True, row_factory=dict_row)

    def sql(self, text: str, *values: object) -> list[dict]:
        cursor = self.connection.execute(text, values or None)
        return cursor.fetchall() if cursor.description else []

    def entries(self) -> list[dict]:
        return self.sql("SELECT * FROM audit_logs ORDER BY seq")

    def last(self) -> dict:
        return self.sql("SELECT * FROM audit_logs ORDER BY seq DESC LIMIT 1")[0]

    def count(self) -> int:
        return self.sql("SELECT count(*) AS count FROM audit_logs")[0]["count"]

    def row_text(self) -> str:
        """The last entry as text, without what is different each time."""
        return self.sql(
            """SELECT (to_jsonb(l) - ARRAY['id', 'timestamp', 'seq', 'transaction_id'])::text AS row
            FROM audit_logs AS l ORDER BY seq DESC LIMIT 1"""
        )[0]["row"]

    def json_text(self, json_text: str) -> str:
        return self.sql("SELECT %s::jsonb::text AS json", json_text)[0]["json"]


def make_database() -> str:
    name = f"audit_python_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(SERVER, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    return name


@pytest.fixture(scope="module")
def db() -> Iterator[Database]:
    database = Database(make_database())
    yield database
    database.connection.close()
    with psycopg.connect(SERVER, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {database.name} WITH (FORCE)")


@pytest_asyncio.fixture
async def pool(db: Database) -> AsyncIterator[asyncpg.Pool]:
    pool = await asyncpg.create_pool(db.url, min_size=1, max_size=8)
    yield pool
    # asyncpg may wait for ever for a connection that the server cut while it was released
    try:
        await asyncio.wait_for(pool.close(), 10)
    except asyncio.TimeoutError:
        pool.terminate()


@pytest_asyncio.fixture
async def audit(pool: asyncpg.Pool) -> AuditLog:
    return AuditLog(pool)


def contract() -> dict:
    return json.loads((Path(__file__).parents[2] / "test" / "contract" / "cases.json").read_text())
