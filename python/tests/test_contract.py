"""The cases that both halves have in common: test/contract/contract.test.ts reads the same."""

from __future__ import annotations

import base64
import datetime
import decimal
import json
import re
import uuid

import pytest
from conftest import contract

from prisma_audit import (
    ERROR_CODES,
    Actor,
    AuditError,
    AuditLog,
    AuditMiddleware,
    audit_context,
    get_audit_context,
)
from prisma_audit.secret_names import SECRET_NAMES

CONTRACT = contract()
COLUMNS = (
    *("action", "actor_id", "actor_type", "actor_email", "resource_type", "resource_id", "outcome", "reason"),
    *("details", "request_id", "ip", "user_agent", "organization_id"),
)


def cases(kind: str) -> pytest.MarkDecorator:
    found = CONTRACT[kind]
    return pytest.mark.parametrize(
        "case", found, ids=[case.get("name") or json.dumps(case["ask"]) for case in found]
    )


# names of TypeScript → names of Python


def snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda match: "_" + match[1].lower(), name)


def message_in_python(message: str) -> str:
    """The same message; only the names of fields are those of Python."""
    named = re.sub(r"→ at (\w+)", lambda match: f"→ at {snake(match[1])}", message)
    return named.replace("→ at resource.", "→ at resource_")


def fields_of(said: dict) -> dict:
    fields = {snake(name): value for name, value in said.items() if name != "resource"}
    if isinstance(fields.get("actor"), dict):
        fields["actor"] = Actor(**fields["actor"])
    if "resource" in said:
        fields |= {f"resource_{name}": value for name, value in said["resource"].items()}
    return fields


def untagged(value: object) -> object:
    """A case's value as a Python application has it."""
    if isinstance(value, list):
        return [untagged(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        [(tag, content)] = value.items()
        if tag.startswith("$"):
            return TAGS[tag](content)
    return {name: untagged(item) for name, item in value.items()}


def deep(levels: int) -> dict:
    value: dict = {}
    for _ in range(1, levels):
        value = {"a": value}
    return value


def cycle(_: object) -> dict:
    value: dict = {}
    value["self"] = {"again": value}
    return value


TAGS = {
    "$float": float,
    "$integer": int,
    "$decimal": decimal.Decimal,
    "$date": lambda text: datetime.datetime.fromisoformat(text.replace("Z", "+00:00")),
    "$bytes": base64.b64decode,
    "$map": lambda pairs: {untagged(key): untagged(item) for key, item in pairs},
    "$set": lambda items: set(untagged(items)),
    "$error": lambda error: type(error[0], (Exception,), {})(error[1]),
    "$function": lambda _: cases,
    "$cycle": cycle,
    "$deep": deep,
}


async def expect_outcome(db, case: dict, work) -> None:
    with audit_context(**fields_of(case.get("context", {}))):
        if "refused" in case:
            before = db.count()
            with pytest.raises(AuditError) as caught:
                await work()
            assert caught.value.code == case["refused"]["code"]
            assert caught.value.message == message_in_python(case["refused"]["message"])
            assert db.count() == before
        else:
            entry = await work()
            assert uuid.UUID(entry.id).version == 7
            row = {**dict.fromkeys(COLUMNS), "outcome": "success", **case["row"]}
            assert db.row_text() == db.json_text(json.dumps(row))


@cases("events")
async def test_events(db, audit: AuditLog, case: dict) -> None:
    fields = fields_of(case["record"])
    await expect_outcome(db, case, lambda: audit.record(fields.pop("action"), **fields))


@pytest.fixture(scope="module")
def user_id(db) -> int:
    db.sql("""SELECT audit_logs_watch('"public"."users"', 'user')""")
    db.sql("INSERT INTO users (id, email, updated_at) VALUES (1, 'ada@example.com', now())")
    return 1


@cases("changes")
async def test_changes(db, audit: AuditLog, user_id: int, case: dict) -> None:
    async with audit.context(**fields_of(case.get("context", {}))), audit.transaction() as tx:
        await tx.execute("UPDATE users SET name = $1 WHERE id = $2", case["name"], user_id)
    # which way a change came is all that differs: "operation" is the client's, "source" that of everybody else
    [entry] = db.sql(
        """SELECT (to_jsonb(l) - ARRAY['id', 'timestamp', 'seq', 'transaction_id'] || jsonb_build_object(
            'details', details - ARRAY['before', 'after', 'changed', 'source']))::text AS text
        FROM audit_logs AS l ORDER BY seq DESC LIMIT 1"""
    )
    change = {"action": "user.update", "resource_type": "user", "resource_id": str(user_id), "details": {}}
    row = {**dict.fromkeys(COLUMNS), "outcome": "success", **change, **case["row"]}
    assert entry["text"] == db.json_text(json.dumps(row))


@cases("helpers")
async def test_helpers(db, audit: AuditLog, case: dict) -> None:
    helper, *parameters = case["call"]
    keywords: dict = {}
    if helper == "logLogin" and len(parameters) == 3:
        keywords = {"details": parameters.pop()}
    if helper == "logDataChange":
        keywords = parameters.pop()
    await expect_outcome(db, case, lambda: getattr(audit, snake(helper))(*parameters, **keywords))


@cases("values")
async def test_values(db, audit: AuditLog, case: dict) -> None:
    details = {"value": untagged(case["value"])}
    if "refused" in case:
        with pytest.raises(AuditError) as caught:
            await audit.record("a.b", details=details)
        expected = f"The event can't be stored: {case['refused']}. Nothing was written. Leave it out, or give it as text."
        assert (caught.value.code, caught.value.message) == ("AUDIT_INVALID_EVENT", expected)
    else:
        await audit.record("a.b", details=details)
        [row] = db.sql("SELECT details::text FROM audit_logs ORDER BY seq DESC LIMIT 1")
        assert row["details"] == db.json_text(json.dumps({"value": untagged(case["json"])}))


@cases("requests")
async def test_requests(case: dict) -> None:
    found = None

    async def app(scope, receive, send) -> None:
        nonlocal found
        found = get_audit_context()

    headers = [(name.encode(), value.encode("latin-1")) for name, value in case["headers"].items()]
    client = None if case["peer"] is None else (case["peer"], 4711)
    await AuditMiddleware(app)({"type": "http", "headers": headers, "client": client}, None, None)
    for name, expected in case["context"].items():
        value = getattr(found, snake(name))
        if isinstance(expected, dict) and "$new" in expected:
            assert uuid.UUID(value).version == 7
        else:
            assert value == expected


@pytest.fixture(scope="module")
def log(db) -> None:
    db.sql("ALTER TABLE audit_logs DISABLE TRIGGER ALL")
    db.sql("TRUNCATE audit_logs")
    db.sql("ALTER TABLE audit_logs ENABLE TRIGGER ALL")
    db.sql(
        "INSERT INTO audit_logs OVERRIDING SYSTEM VALUE SELECT * FROM jsonb_populate_recordset(NULL::audit_logs, %s)",
        json.dumps(CONTRACT["log"]),
    )


def question(ask: list) -> tuple[str, list, dict]:
    """The same question in Python: models have the names that the log has, and a span has two ends."""
    helper, *parameters = ask
    if helper == "history":
        return "history", [parameters[0].lower(), parameters[1]], {}
    if helper == "transaction":
        return "transaction_entries", parameters, {}
    if helper == "activity":
        return "activity", parameters, {}
    filter = {snake(name): value for name, value in parameters[0].items()}
    for name in ("actor", "resource"):
        if name in filter:
            value = filter.pop(name)
            main = "id" if name == "actor" else "type"
            filter |= {
                f"{name}_{key}": item
                for key, item in (value if isinstance(value, dict) else {main: value}).items()
            }
    renamed = {{"from": "since", "to": "until"}.get(name, name): value for name, value in filter.items()}
    return snake(helper), [], renamed


@cases("questions")
async def test_questions(log, audit: AuditLog, case: dict) -> None:
    helper, parameters, keywords = question(case["ask"])
    page = await getattr(audit, helper)(*parameters, **keywords, limit=case["limit"])
    assert [entry.id for entry in page.entries] == case["ids"]
    assert page.next_cursor == case["cursor"]
    if case["cursor"] is not None:
        # the cursor that the TypeScript half made
        after = await getattr(audit, helper)(
            *parameters, **keywords, limit=case["limit"], cursor=case["cursor"]
        )
        assert [entry.id for entry in after.entries] == case["next"]


def test_names() -> None:
    assert sorted(ERROR_CODES) == sorted(CONTRACT["errorCodes"])
    assert sorted(SECRET_NAMES) == CONTRACT["secretNames"]
