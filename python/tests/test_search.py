"""Every way to find entries finds the same as plain SQL, page by page, in a log where windows and merged actions matter."""

from __future__ import annotations

import itertools

import pytest

from prisma_audit import AuditLog

FILL = """
INSERT INTO audit_logs (id, "timestamp", action, actor_id, actor_type, resource_type, resource_id, outcome, details, request_id,
  organization_id, transaction_id)
SELECT gen_random_uuid(), '2026-01-01T00:00:00Z'::timestamptz + (n / 3) * interval '1.000001 s',
  (ARRAY['user.update', 'user.login', 'order.update', 'order.read', 'report.export'])[1 + n % 5],
  'actor-' || n % 7, CASE WHEN n % 50 = 0 THEN 'api_key' ELSE 'user' END,
  (ARRAY['user', 'user', 'order', 'order', 'report'])[1 + n % 5],
  CASE WHEN n % 25 = 3 THEN NULL ELSE (n % 11)::text END, CASE WHEN n % 9 = 0 THEN 'failure' ELSE 'success' END,
  CASE WHEN n % 25 = 3 THEN jsonb_build_object('ids', jsonb_build_array((n % 11)::text, 'x'))
    WHEN n % 1000 = 0 THEN '{"changed": ["rare", "name"]}'::jsonb WHEN n % 10 = 0 THEN '{"changed": ["name"]}'::jsonb END,
  'req-' || n % 1000, CASE WHEN n % 4 = 0 THEN 'org-' || n % 3 END, 1000 + n / 10
FROM generate_series(1, 20000) AS n
"""

#: A filter, and the same in SQL.
FILTERS = [
    ({}, "true"),
    ({"changed": "rare"}, "details -> 'changed' ? 'rare'"),
    ({"changed": ["rare", "name"]}, "details -> 'changed' ?| ARRAY['rare', 'name']"),
    ({"action": "user.*"}, "action LIKE 'user.%'"),
    ({"action": ["*.read", "report.export"]}, "action IN ('order.read', 'report.export')"),
    ({"action": "*.update", "outcome": "failure"}, "action LIKE '%.update' AND outcome = 'failure'"),
    ({"action": "nothing.*", "outcome": "failure"}, "false"),
    ({"action": "*", "actor_type": "api_key"}, "actor_type = 'api_key'"),
    ({"actor_id": "actor-3", "outcome": "failure"}, "actor_id = 'actor-3' AND outcome = 'failure'"),
    ({"organization_id": "org-1"}, "organization_id = 'org-1'"),
    ({"request_id": "req-7"}, "request_id = 'req-7'"),
    ({"transaction_id": 1500}, "transaction_id = 1500"),
    ({"resource_type": "report"}, "resource_type = 'report'"),
    (
        {"resource_type": "order", "action": "*", "outcome": "failure"},
        "resource_type = 'order' AND outcome = 'failure'",
    ),
    (
        {"resource_type": "order", "resource_id": 4},
        "resource_type = 'order' AND (resource_id = '4' OR resource_id IS NULL AND details -> 'ids' ? '4')",
    ),
    (
        {"since": "2026-01-01T00:30:00Z", "until": "2026-01-01T01:00:00+00:00", "changed": "name"},
        "details -> 'changed' ? 'name' AND \"timestamp\" >= '2026-01-01T00:30:00Z' AND \"timestamp\" < '2026-01-01T01:00:00Z'",
    ),
    # three entries of each moment, whose numbers come to have another digit
    ({"until": "2026-01-01T00:10:00Z"}, "\"timestamp\" < '2026-01-01T00:10:00Z'"),
    (
        {"until": "2026-01-01T01:00:00Z", "outcome": "failure"},
        "outcome = 'failure' AND \"timestamp\" < '2026-01-01T01:00:00Z'",
    ),
]


@pytest.fixture(scope="module", autouse=True)
def log(db) -> None:
    db.sql(FILL)
    db.sql("ANALYZE audit_logs")


@pytest.mark.parametrize(("filter", "condition"), FILTERS, ids=[str(filter) for filter, _ in FILTERS])
async def test_pages_and_streams(db, audit: AuditLog, filter: dict, condition: str) -> None:
    sql = f'SELECT id FROM audit_logs WHERE {condition} ORDER BY "timestamp" DESC, seq DESC'
    expected = [str(row["id"]) for row in db.sql(sql)]
    found: list[str] = []
    cursor = None
    for limit in itertools.cycle([1, 7, 100, 1000]):
        page = await audit.search(**filter, limit=limit, cursor=cursor)
        found += [entry.id for entry in page.entries]
        cursor = page.next_cursor
        if cursor is None:
            assert len(found) == len(expected)
        if cursor is None or len(found) > 2_000:
            break
    assert found == expected[: len(found)]
    streamed = []
    async for entry in audit.stream(**filter):
        streamed.append(entry.id)
        if len(streamed) == 1_000:
            break
    assert streamed == expected[:1_000]
