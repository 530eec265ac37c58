"""The conditions on an entry, as SQL."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable
from typing import Literal

from ..statements import Parameters
from .conditions import Conditions, is_pattern
from .cursor import Position

#: How an entry names a record: as what it is about, as one of several that were read together, or either.
Naming = Literal["own", "read", "either"]

_EQUALITIES = (
    *("actor_id", "organization_id", "transaction_id", "request_id", "actor_type", "actor_email", "outcome"),
)

#: The records of a read of several, {"order": ["1", "2"]}, as the index of the log's migration has them.
_READ_RECORDS = "pg_catalog.jsonb_set('{}', ARRAY[resource_type::text], details -> 'ids')"


@dataclasses.dataclass(frozen=True)
class Stretch:
    """A part of the log, in order of time."""

    #: entries before this place
    before: Position | None = None
    #: entries from this moment on, ISO 8601
    start: str | None = None


def where_sql(
    conditions: Conditions, stretch: Stretch, parameters: Parameters, naming: Naming = "either"
) -> str:
    """Give all conditions; `true` when there are none."""
    action = action_sql(conditions, parameters)
    return every(
        [
            *([action] if action else []),
            *columns_sql(conditions, parameters, naming),
            *time_sql(conditions, stretch, parameters),
        ]
    )


def every(conditions: Iterable[str]) -> str:
    """Give conditions that all have to be met."""
    return " AND ".join(conditions) or "true"


def action_sql(conditions: Conditions, parameters: Parameters) -> str | None:
    """Give the condition on the action."""
    actions = conditions.actions
    if actions is None or "*" in actions:
        return None
    if conditions.is_one_action():
        # ANY with a list of one would hide from the planner that the index returns entries in order
        return f"action = {parameters.add(actions[0], 'text')}"
    if any(map(is_pattern, actions)):
        return f"action LIKE ANY ({parameters.add([_like_pattern(action) for action in actions], 'text[]')})"
    return f"action = ANY ({parameters.add(actions, 'text[]')})"


def columns_sql(conditions: Conditions, parameters: Parameters, naming: Naming = "either") -> list[str]:
    """Give the conditions on all columns but the action and the time."""
    found = record_sql(conditions, parameters, naming)
    for column in _EQUALITIES:
        value = getattr(conditions, column)
        if value is not None:
            found.append(
                f"{column} = {parameters.add(value, 'int8' if column == 'transaction_id' else 'text')}"
            )
    if conditions.changed is not None:
        fields = [json.dumps({"changed": [field]}) for field in conditions.changed]
        found.append(f"details @> ANY (CAST({parameters.add(fields, 'text[]')} AS jsonb[]))")
    return found


def time_sql(conditions: Conditions, stretch: Stretch, parameters: Parameters) -> list[str]:
    """Give the conditions on the time."""
    found = [
        f'"timestamp" >= {parameters.add(start, "timestamptz")}'
        for start in (stretch.start, conditions.start)
        if start is not None
    ]
    if conditions.end is not None:
        found.append(f'"timestamp" < {parameters.add(conditions.end, "timestamptz")}')
    if stretch.before is not None:
        # the first comparison is for the index, the second for entries of the same microsecond
        time = parameters.add(stretch.before.timestamp(), "timestamptz")
        seq = parameters.add(stretch.before.seq, "int8")
        found.append(f'"timestamp" <= {time} AND ("timestamp" < {time} OR seq < {seq})')
    return found


def record_sql(conditions: Conditions, parameters: Parameters, naming: Naming) -> list[str]:
    """Give the conditions on the resource's type and id."""
    type, id = conditions.resource_type, conditions.resource_id
    found = [] if type is None else [f"resource_type = {parameters.add(type, 'text')}"]
    if id is None:
        return found
    if type is None or naming == "own":
        return [*found, f"resource_id = {parameters.add(id, 'text')}"]
    own = "" if naming == "read" else f"resource_id = {parameters.add(id, 'text')} OR "
    # the first two conditions are those of the index
    record = parameters.add(json.dumps({type: [id]}, ensure_ascii=False), "jsonb")
    return [*found, f"({own}(resource_id IS NULL AND action LIKE '%.read' AND {_READ_RECORDS} @> {record}))"]


def can_be_read(conditions: Conditions) -> bool:
    """Whether conditions on a record can be met by a read of several."""
    if conditions.resource_type is None or conditions.resource_id is None:
        return False
    return conditions.actions is None or any(map(_ends_in_read, conditions.actions))


def _ends_in_read(action: str) -> bool:
    """What follows the last `*` of a pattern, or all of an action, must agree with `.read`."""
    end = action.rsplit("*", 1)[-1]
    return end.endswith(".read") or ("*" in action and ".read".endswith(end))


def _like_pattern(pattern: str) -> str:
    """`user.*` → `user.%`, with LIKE's own wildcards escaped."""
    return re.sub(r"\*+", "%", re.sub(r"[\\%_]", r"\\\g<0>", pattern))
