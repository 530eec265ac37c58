"""What the log is asked, by the names of the TypeScript helpers: a cursor of one half works on the other."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

from .search.conditions import Conditions
from .search.filter import Moment, RecordId, parse_filter


class Question(NamedTuple):
    """A helper and its conditions."""

    asker: str
    conditions: Conditions


def history(resource_type: str, resource_id: RecordId) -> Question:
    """What happened to one record."""
    return Question("history", _of_record(resource_type, resource_id))


def accesses(resource_type: str, resource_id: RecordId) -> Question:
    """Who read one record."""
    return Question(
        "accesses", dataclasses.replace(_of_record(resource_type, resource_id), actions=["*.read"])
    )


def activity(actor_id: str) -> Question:
    """What one actor did."""
    return Question("activity", parse_filter({"actor_id": _given(actor_id)}))


def search(filter: Mapping[str, Any]) -> Question:
    """Whatever a filter says."""
    return Question("search", parse_filter(filter))


def failed_logins(since: Moment, until: Moment | None) -> Question:
    """Logins that failed."""
    filter = {"action": "user.login", "outcome": "failure", "since": _given(since), "until": until}
    return Question("failedLogins", parse_filter(filter))


def exports(since: Moment | None, until: Moment | None) -> Question:
    """Who exported data."""
    return Question("exports", parse_filter({"action": "*.export", "since": since, "until": until}))


def transaction(id: int | str) -> Question:
    """What was committed together."""
    return Question("transaction", parse_filter({"transaction_id": _given(id)}))


def _of_record(resource_type: str, resource_id: RecordId) -> Conditions:
    return parse_filter({"resource_type": _given(resource_type), "resource_id": _given(resource_id)})


def _given(value: object) -> object:
    """A filter takes None for "any", which nobody who names a record or an actor means."""
    return object() if value is None else value
