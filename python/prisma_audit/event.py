"""Something worth an entry that is not a data change."""

from __future__ import annotations

import dataclasses
import unicodedata
import uuid
from collections.abc import Mapping
from typing import Any, Literal, Union

from .context import AuditContext, ContextFields, check_context, context_with
from .errors import AuditError
from .shape import Problems

#: The id of a record as applications have it; the log has its text.
Identifier = Union[str, int, uuid.UUID]
Outcome = Literal["success", "failure"]


class EventFields(ContextFields, total=False):
    """What an event says besides its action. What it leaves out of who and where comes from the context."""

    #: default: the first half of the action; at most 100 characters
    resource_type: str | None
    #: at most 255 characters
    resource_id: Identifier | None
    #: default "success"; a failure needs a `reason`
    outcome: Outcome
    #: anything that the log's JSON can hold; fields that the options redact become "[redacted]"
    details: Mapping[str, Any] | None


@dataclasses.dataclass(frozen=True)
class ParsedEvent:
    """A checked event, in one form."""

    action: str
    resource_type: str | None
    resource_id: str | None
    outcome: str
    details: object
    said: AuditContext


_CONTEXT = tuple(ContextFields.__annotations__)
_KNOWN = {*EventFields.__annotations__, "action"}


def parse_event(action: object, fields: Mapping[str, Any]) -> ParsedEvent:
    """Check that the log can store an event; what is in `details` is checked when it becomes JSON.

    Raises:
        AuditError: `AUDIT_INVALID_EVENT`, naming the field and what it accepts
    """
    problems = Problems()
    context = {name: fields.get(name) for name in _CONTEXT}
    metadata = check_context(context, problems)
    _check_action(action, problems)
    resource_type, resource_id = fields.get("resource_type"), fields.get("resource_id")
    if resource_type is not None:
        problems.text(resource_type, "resource_type", least=1, most=100, depth=2)
    if resource_id is not None:
        resource_id = _checked_id(resource_id, problems)
    outcome = fields.get("outcome", "success")
    problems.choice(outcome, ("success", "failure"), "outcome")
    details = fields.get("details")
    if isinstance(details, (str, bytes, int, float, list, tuple)):
        problems.add("must be an object", "details")
    problems.unknown([name for name in fields if name not in _KNOWN])
    if not problems.has_wrong_type and outcome == "failure" and not context["reason"]:
        problems.add("a failure needs one", "reason")
    if problems:
        raise AuditError(
            "AUDIT_INVALID_EVENT", f"The event can't be stored, and nothing was written: {problems}"
        )
    said = context_with(context, metadata)
    return ParsedEvent(str(action), resource_type, resource_id, outcome, details, said)


def _check_action(action: object, problems: Problems) -> None:
    if not isinstance(action, str):
        problems.wrong_type("string", action, "action")
        return
    problems.length(action, "action", most=100)
    halves = action.split(".")
    if len(halves) != 2 or not all(_is_name(half) for half in halves):
        problems.add('must be resource.verb, as in "report.export"', "action")


def _is_name(text: str) -> bool:
    """Letters, digits, `_` and `-`, beginning with a letter or `_`."""
    begins = text[:1] == "_" or text[:1].isalpha()
    return begins and all(
        letter in "_-" or letter.isalpha() or unicodedata.category(letter).startswith("N") for letter in text
    )


def _checked_id(id: object, problems: Problems) -> str:
    if isinstance(id, bool) or not isinstance(id, (str, int, uuid.UUID)):
        problems.has_wrong_type = True
        problems.add("Invalid input", "resource_id", depth=2)
        return ""
    text = str(id)
    problems.text(text, "resource_id", least=1, most=255, depth=2)
    return text
