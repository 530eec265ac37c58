"""What Python has and TypeScript has not, as the log writes it."""

from __future__ import annotations

import collections
import dataclasses
import enum
import ipaddress
import json
import pathlib
import uuid
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal

import pydantic
import pytest

from prisma_audit import Actor, AuditError, AuditLog, audit_context, get_audit_context, system, user
from prisma_audit.json_values import NotJsonError, to_json


class Level(enum.Enum):
    HIGH = "high level"


class Size(enum.IntEnum):
    BIG = 3


@dataclasses.dataclass
class Point:
    x: int
    when: date


class Model(pydantic.BaseModel):
    name: str
    price: Decimal


class Text(str):
    pass


CEST = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("value", "json"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=timezone.utc), "2026-01-02T03:04:05.678901Z"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=CEST), "2026-01-02T01:04:05.000Z"),
        (datetime(2026, 1, 2, 3, 4, 5), "2026-01-02T03:04:05.000Z"),
        (date(2026, 1, 2), "2026-01-02"),
        (time(12, 30), "12:30:00"),
        (time(12, 30, 0, 500_000), "12:30:00.5"),
        (time(12, 30, tzinfo=CEST), "12:30:00+02"),
        (timedelta(days=1, hours=2, minutes=3, seconds=4.5), "1 day 02:03:04.5"),
        (timedelta(seconds=90), "00:01:30"),
        (timedelta(hours=-1), "-01:00:00"),
        (timedelta(days=-2), "-2 days"),
        (timedelta(), "00:00:00"),
        (Decimal("1.10"), "1.10"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-Infinity"), "-Infinity"),
        (Decimal("sNaN"), "NaN"),
        (2**53 - 1, 2**53 - 1),
        (-(2**53), "-9007199254740992"),
        (True, True),
        (250.0, 250),
        (uuid.UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (memoryview(b"\xff\xfe"), "//4="),
        (Level.HIGH, "high level"),
        (Size.BIG, 3),
        (Text("x"), "x"),
        (Point(1, date(2026, 1, 2)), {"x": 1, "when": "2026-01-02"}),
        (Model(name="x", price="1.10"), {"name": "x", "price": "1.10"}),
        ((1, [2]), [1, [2]]),
        ({"c", "a", "b"}, ["a", "b", "c"]),
        (collections.deque([1]), [1]),
        ({"a": 1}.values(), [1]),
        (collections.OrderedDict(b=1, a=None), {"b": 1, "a": None}),
        (
            {1: "a", False: "b", Level.HIGH: "c", date(2026, 1, 2): "d", 1.5: "e"},
            {"1": "a", "false": "b", "high level": "c", "2026-01-02": "d", "1.5": "e"},
        ),
        (ValueError("wrong"), {"name": "ValueError", "message": "wrong"}),
        (pathlib.PurePosixPath("/tmp/x"), "/tmp/x"),
        (ipaddress.ip_address("10.0.0.1"), "10.0.0.1"),
    ],
    ids=repr,
)
async def test_values(db, audit: AuditLog, value, json) -> None:
    entry = await audit.record("a.b", details={"value": value})
    assert entry.details == {"value": json}
    assert type(entry.details["value"]) is type(json)


class Broken:
    __fields__ = {"x": None}

    @property
    def x(self):
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (object(), "details is a object, which JSON can't hold"),
        ((number for number in "x"), "details is a generator, which JSON can't hold"),
        (Point, "details is a type, which JSON can't hold"),
        ({"a": {(1, 2): 3}}, "details.a is a dict with a key that is a tuple"),
        ({1: "a", "1": "b"}, "details is a dict with two keys that are the same in JSON"),
        ({"a": Broken()}, "details.a can't be read"),
    ],
)
def test_what_json_can_not_hold(value, problem) -> None:
    with pytest.raises(NotJsonError) as caught:
        to_json(value, "details")
    assert str(caught.value) == problem


def test_the_same_object_twice_is_no_cycle() -> None:
    shared = {"n": 1}
    assert to_json([shared, shared], "details") == [shared, shared]


async def test_redaction(pool) -> None:
    audit = AuditLog(pool, redact={"order": ["iban"], "*": ["ssn"]}, redact_secrets=False)
    details = {"iban": "x", "deep": {"iban": "y", "ssn": "z"}, "password": "p", "after": {"iban": "a"}}
    entry = await audit.record("order.pay", details=details)
    redacted = "[redacted]"
    assert entry.details == {
        "iban": redacted,
        "deep": {"iban": "y", "ssn": redacted},
        "password": "p",
        "after": {"iban": redacted},
    }
    assert (await audit.record("bill.pay", details={"iban": "x"})).details == {"iban": "x"}


async def test_changes(pool) -> None:
    audit = AuditLog(pool, ignore={"*": ["updatedAt"]}, snapshot="changed")
    before, after = {"a": 1, "b": 2, "updatedAt": 1}, {"a": 1, "b": 3, "updatedAt": 2}
    entry = await audit.log_data_change("ada", "order", 1, "update", before=before, after=after)
    assert entry.details == {
        "before": {"b": 2},
        "after": {"b": 3},
        "changed": ["b"],
        "operation": "logDataChange",
    }
    assert [(change.field, change.from_, change.to) for change in entry.changes] == [("b", 2, 3)]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"table": "a b"}, 'The table "a b" is not a table name'),
        ({"snapshot": "half"}, 'expected one of "full"|"changed"'),
        ({"redact": {"order": "iban"}}, "must be lists of fields"),
        ({"actor": "ada"}, "expected object, received string"),
    ],
)
async def test_options(pool, options, problem) -> None:
    with pytest.raises(AuditError) as caught:
        AuditLog(pool, **options)
    assert caught.value.code == "AUDIT_INVALID_OPTIONS"
    assert problem in str(caught.value)


async def test_actors(audit: AuditLog) -> None:
    assert user(7) == Actor("7", "user")
    assert user("ada", "ada@example.com").email == "ada@example.com"
    entry = await audit.record("a.b", actor=system("nightly"))
    assert entry.actor == Actor("nightly", "system")


async def test_contexts_nest_and_merge(audit: AuditLog) -> None:
    with audit_context(actor=user("ada"), metadata={"a": 1, "b": 1}):
        async with audit.context(reason="because", metadata={"b": 2}):
            entry = await audit.record("a.b")
            assert (entry.actor.id, entry.reason, entry.details) == (
                "ada",
                "because",
                {"metadata": {"a": 1, "b": 2}},
            )
        assert get_audit_context().reason is None
    assert get_audit_context() is None
    with (
        pytest.raises(AuditError, match=r"received number\n  → at actor\.id") as caught,
        audit_context(actor=Actor(7)),
    ):
        pass
    assert caught.value.code == "AUDIT_INVALID_CONTEXT"


@pytest.mark.parametrize(
    ("filter", "problem"),
    [
        ({"action": []}, "at least one"),
        ({"resource_id": 1}, "resource_type"),
        ({"since": "yesterday"}, "must be a datetime, a date, or a string in ISO 8601"),
        ({"since": "2026-02-30"}, "must be a datetime"),
        ({"since": "0001-01-01T00:00:00+05:00"}, "must be a datetime"),
        ({"until": datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5)))}, "must be a datetime"),
        (
            {"since": date(2026, 2, 1), "until": date(2026, 1, 1)},
            "begins at 2026-02-01T00:00:00.000Z, after its end",
        ),
        ({"transaction_id": "x"}, "must be an entry's transaction_id"),
        ({"tenant": "x"}, 'Unrecognized key: "tenant"'),
        ({"limit": 0}, "expected number to be >=1"),
        ({"actor_id": ""}, "must not be empty"),
    ],
)
async def test_filters(audit: AuditLog, filter, problem) -> None:
    with pytest.raises(AuditError) as caught:
        await audit.search(**filter)
    assert caught.value.code == "AUDIT_INVALID_FILTER"
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    "change", [lambda c: c[:-1], lambda c: c + "=", lambda c: "x" + c, lambda c: "", lambda c: "🙂"]
)
async def test_cursors_that_were_changed(audit: AuditLog, change) -> None:
    for _ in range(2):
        await audit.record("cursor.test")
    page = await audit.search(action="cursor.test", limit=1)
    for cursor, action in ((change(page.next_cursor), "cursor.test"), (page.next_cursor, "cursor.other")):
        with pytest.raises(AuditError) as caught:
            await audit.search(action=action, cursor=cursor)
        assert caught.value.code == "AUDIT_INVALID_CURSOR"


async def test_composite_keys(db, audit: AuditLog) -> None:
    await audit.record("orderItem.check", resource_type="orderItem", resource_id='["42","naïve \\"x\\""]')
    page = await audit.history("orderItem", (42, 'naïve "x"'))
    assert [entry.action for entry in page.entries] == ["orderItem.check"]
    assert json.loads(page.entries[0].resource.id) == ["42", 'naïve "x"']
