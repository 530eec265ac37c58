"""The details of an event, as JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .errors import AuditError
from .json_values import IsRedacted, Json, NotJsonError, to_json
from .options import Options

JsonObject = dict[str, Json]


def event_details(
    options: Options, resource: str, details: object, metadata: Mapping[str, Json] | None
) -> JsonObject | None:
    """Give the event's details and the context's metadata as JSON, with "[redacted]" for what the log must not hold."""

    def is_redacted(path: Sequence[str]) -> bool:
        is_of_record = len(path) == 1 or (
            len(path) == 2 and re.fullmatch("before|after", path[0]) is not None
        )
        return options.is_redacted(resource if is_of_record else None, path[-1])

    given = _json(details, "details", is_redacted)
    around = _json(metadata, "metadata", is_redacted)
    if given is not None and not isinstance(given, dict):
        raise AuditError(
            "AUDIT_INVALID_EVENT",
            "The event can't be stored: details is not an object in JSON. Nothing was written. Give an object of named "
            "values.",
        )
    if given is None and around is None:
        return None
    return {**({} if around is None else {"metadata": around}), **(given or {})}


def change_details(options: Options, resource: str, verb: str, before: object, after: object) -> JsonObject:
    """Give a change's `before`, `after` and the fields that differ, as in the entry of a data change."""
    old, new = _record(before, "before"), _record(after, "after")
    refusal = None
    if verb == "create" and old is not None:
        refusal = "a create has no before"
    elif verb == "delete" and new is not None:
        refusal = "a delete has no after"
    elif old is None and new is None:
        refusal = "a change has a record before, after or both"
    if refusal:
        raise AuditError(
            "AUDIT_INVALID_EVENT",
            f"The change can't be stored: {refusal}. Nothing was written. Give {{ after }} for a create, {{ before }} for a "
            "delete, both for all other changes.",
        )
    if old is None or new is None:
        return {"before": old} if new is None else {"after": new}
    changed = [field for field in differing_fields(old, new) if not options.is_ignored(resource, field)]
    if options.snapshot == "changed":
        old = {field: value for field, value in old.items() if field in changed}
        new = {field: value for field, value in new.items() if field in changed}
    return {"before": old, "after": new, "changed": list[Json](changed)}


_ABSENT = object()


def differing_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Name the fields in which two versions of a record differ. A field that only one of them has counts as different."""
    return [
        field
        for field in {**before, **after}
        if not _is_same(before.get(field, _ABSENT), after.get(field, _ABSENT))
    ]


def _is_same(one: object, other: object) -> bool:
    """Whether JSON is the same: 1 and true are not, 1 and 1.0 are."""
    if isinstance(one, bool) != isinstance(other, bool):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return one == other


def login_failure(details: Mapping[str, Any] | None) -> tuple[str, Mapping[str, Any] | None]:
    """Give the reason of a failed login, and the details that say more than it."""
    json = _json(details, "details")
    reason = json.get("reason") if isinstance(json, dict) else None
    if details is None or not isinstance(reason, str) or reason == "":
        return "login failed", details
    return reason, {name: value for name, value in details.items() if name != "reason"} or None


def _record(value: object, side: str) -> JsonObject | None:
    json = _json(value, f"change.{side}")
    if json is None or isinstance(json, dict):
        return json
    raise AuditError(
        "AUDIT_INVALID_EVENT",
        f"The change can't be stored: {side} is not a record. Nothing was written. Give an object of fields.",
    )


def _json(value: object, name: str, is_redacted: IsRedacted = lambda path: False) -> Json:
    try:
        return to_json(value, name, is_redacted)
    except NotJsonError as error:
        raise AuditError(
            "AUDIT_INVALID_EVENT",
            f"The event can't be stored: {error}. Nothing was written. Leave it out, or give it as text.",
        ) from error.__cause__
