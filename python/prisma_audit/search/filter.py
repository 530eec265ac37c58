"""Which entries, as a caller says it."""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict, Union

from ..errors import AuditError
from ..json_values import instant, scalar_text, to_text
from ..moments import microseconds_at
from ..shape import STORABLE, Problems
from ..texts import is_storable, utf16_order
from .conditions import Conditions

#: A moment: a `datetime` (a naive one is in UTC), a `date` (midnight UTC), or a text in ISO 8601.
Moment = Union[datetime.datetime, datetime.date, str]
#: A record: the value of its key, or those of a composite key in key order.
RecordId = Union[str, int, uuid.UUID, Sequence[Any]]


class SearchFilter(TypedDict, total=False):
    """Which entries: those that meet all conditions given."""

    #: "order.update", or a pattern where `*` matches any characters: "user.*"; or several
    action: str | Sequence[str] | None
    actor_id: str | None
    actor_type: str | None
    actor_email: str | None
    #: as the log has it: "orderItem". Alone it means the actions that begin with it, unless `action` says which
    resource_type: str | None
    resource_id: RecordId | None
    outcome: str | None
    #: updates that changed this field, or at least one of these
    changed: str | Sequence[str] | None
    request_id: str | None
    organization_id: str | None
    transaction_id: int | str | None
    #: inclusive
    since: Moment | None
    #: exclusive
    until: Moment | None


_KNOWN = tuple(SearchFilter.__annotations__)


def parse_filter(filter: Mapping[str, Any]) -> Conditions:
    """Check a filter.

    Raises:
        AuditError: `AUDIT_INVALID_FILTER`, naming the key and what it accepts
    """
    problems = Problems()
    given = {name: value for name, value in filter.items() if value is not None}
    actions = _texts(given, "action", problems)
    resource_type = _text(given, "resource_type", problems)
    resource_id = _record_id(given["resource_id"], problems) if "resource_id" in given else None
    if resource_id is not None and resource_type is None:
        problems.add("must be there if resource_id is", "resource_type")
    if actions is None and resource_type is not None and resource_id is None:
        # the log has no index on the type alone, but actions begin with it
        actions = [f"{resource_type}.*"]
    for name, choices in (("actor_type", ("user", "system", "api_key")), ("outcome", ("success", "failure"))):
        if name in given:
            problems.choice(given[name], choices, name)
    conditions = Conditions(
        actions=actions,
        actor_id=_text(given, "actor_id", problems),
        actor_type=given.get("actor_type"),
        actor_email=_text(given, "actor_email", problems),
        resource_type=resource_type,
        resource_id=resource_id,
        outcome=given.get("outcome"),
        changed=_texts(given, "changed", problems),
        request_id=_text(given, "request_id", problems),
        organization_id=_text(given, "organization_id", problems),
        transaction_id=_transaction_id(given["transaction_id"], problems)
        if "transaction_id" in given
        else None,
        start=_moment(given["since"], "since", problems) if "since" in given else None,
        end=_moment(given["until"], "until", problems) if "until" in given else None,
    )
    problems.unknown([name for name in filter if name not in _KNOWN])
    if problems:
        raise AuditError(
            "AUDIT_INVALID_FILTER", f"The filter can't be used, and nothing was read: {problems}"
        )
    _check_order(conditions)
    return conditions


def _text(given: Mapping[str, Any], name: str, problems: Problems) -> str | None:
    if name not in given:
        return None
    return _checked_text(given[name], name, problems)


def _checked_text(value: object, path: str, problems: Problems) -> str:
    if not isinstance(value, str):
        problems.add("must be a string", path)
        return ""
    if value == "":
        problems.add("must not be empty", path)
    if not is_storable(value):
        problems.add(STORABLE, path)
    return value


def _texts(given: Mapping[str, Any], name: str, problems: Problems) -> list[str] | None:
    if name not in given:
        return None
    value = [given[name]] if isinstance(given[name], str) else given[name]
    if not isinstance(value, Iterable):
        problems.add("must be a string or a list of strings", name)
        return None
    texts = [_checked_text(item, f"{name}.{index}", problems) for index, item in enumerate(value)]
    if not texts:
        problems.add("must be a string or a list of at least one", name)
    return sorted(set(texts), key=utf16_order)


def _record_id(id: object, problems: Problems) -> str:
    """Give `resource_id` as the log has it: a text, or a JSON array of the texts of a composite key."""
    parts = id if isinstance(id, (list, tuple)) else [id]
    texts = [_key_text(part) for part in parts]
    known = [text for text in texts if text]
    if not known or len(known) < len(texts) or not all(map(is_storable, known)):
        problems.add("must be the value of a key, or a list of those of a composite key", "resource_id")
        return ""
    return (known[0] if len(known) == 1 else to_text(list(known)))[:255]


def _key_text(part: object) -> str | None:
    if isinstance(part, bool):
        return "true" if part else "false"
    return str(part) if isinstance(part, (str, int)) else scalar_text(part)


def _transaction_id(id: object, problems: Problems) -> int:
    is_number = isinstance(id, int) and not isinstance(id, bool)
    if not is_number and not (isinstance(id, str) and re.fullmatch(r"[0-9]{1,19}", id)):
        problems.add("must be an entry's transaction_id: a whole number as int or str", "transaction_id")
        return 0
    number = int(str(id))
    if not 0 <= number < 2**63:
        problems.add("must be from 0 to 9223372036854775807", "transaction_id")
    return number


_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)


def _moment(value: object, name: str, problems: Problems) -> str:
    try:
        if isinstance(value, datetime.datetime):
            return instant(value)
        if isinstance(value, datetime.date):
            return f"{value.isoformat()}T00:00:00.000Z"
        if isinstance(value, str) and (
            _INSTANT.fullmatch(value) or re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII)
        ):
            text = value if "T" in value else f"{value}T00:00:00.000Z"
            moment_of(text)
            return text
    except (ValueError, OverflowError):
        pass  # no such day, or one before the year 1 once it is in UTC
    problems.add(
        "must be a datetime, a date, or a string in ISO 8601: 2026-11-24, or 2026-11-24T09:12:00Z with Z or an offset",
        name,
    )
    return ""


def moment_of(iso: str) -> datetime.datetime:
    """Read a moment in ISO 8601, with any number of digits of a second."""
    digits = re.sub(r"\.(\d{1,6})\d*", lambda match: f".{match[1].ljust(6, '0')}", iso)
    return datetime.datetime.fromisoformat(digits.replace("Z", "+00:00")).astimezone(datetime.timezone.utc)


def microseconds_of(iso: str) -> int:
    """Read a moment in ISO 8601, as microseconds since 1970."""
    return microseconds_at(moment_of(iso))


def _check_order(conditions: Conditions) -> None:
    start, end = conditions.start, conditions.end
    if start is None or end is None or moment_of(start) <= moment_of(end):
        return
    raise AuditError(
        "AUDIT_INVALID_FILTER",
        f"The time span begins at {start}, after its end at {end}, so nothing can be in it. Give the earlier one first.",
    )
