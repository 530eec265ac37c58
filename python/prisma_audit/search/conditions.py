"""Which entries, by the columns of the log."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

from ..json_values import Json, to_text


@dataclasses.dataclass(frozen=True)
class Conditions:
    """Which entries: those that meet all conditions given. Cursors hold its JSON, so the fields keep their order."""

    #: patterns where `*` matches any characters; an entry matches at least one
    actions: list[str] | None = None
    actor_id: str | None = None
    actor_type: str | None = None
    actor_email: str | None = None
    resource_type: str | None = None
    resource_id: str | None = None
    outcome: str | None = None
    changed: list[str] | None = None
    request_id: str | None = None
    organization_id: str | None = None
    transaction_id: int | None = None
    #: ISO 8601, inclusive
    start: str | None = None
    #: ISO 8601, exclusive
    end: str | None = None

    def question(self, asker: str) -> str:
        """Give the text that a cursor is bound to: the helper and its conditions, as the TypeScript half writes them."""
        conditions: dict[str, Json] = {
            "actions": None if self.actions is None else list(self.actions),
            "actorId": self.actor_id,
            "actorType": self.actor_type,
            "actorEmail": self.actor_email,
            "resourceType": self.resource_type,
            "resourceId": self.resource_id,
            "outcome": self.outcome,
            "changed": None if self.changed is None else list(self.changed),
            "requestId": self.request_id,
            "organizationId": self.organization_id,
            "transactionId": None if self.transaction_id is None else str(self.transaction_id),
            "from": self.start,
            "to": self.end,
        }
        return to_text([asker, {name: value for name, value in conditions.items() if value is not None}])

    def only(self, names: Collection[str]) -> Conditions:
        """Give the conditions with these names."""
        return Conditions(**{name: getattr(self, name) for name in names})

    def leading(self) -> tuple[str, ...]:
        """Name the conditions by which an index leads to the entries, in the order of time; none if there is no such index.

        A transaction's entries are not in order, but few.
        """
        if self.transaction_id is not None:
            return ("transaction_id",)
        if self.resource_type is not None and self.resource_id is not None:
            return ("resource_type", "resource_id")
        if self.actor_id is not None:
            return ("actor_id",)
        if self.is_one_action():
            return ("actions",)
        if self.organization_id is not None:
            return ("organization_id",)
        return () if self.is_any_action() else ("actions",)

    def is_one_action(self) -> bool:
        """Whether there is one action, and it is no pattern."""
        return self.actions is not None and len(self.actions) == 1 and not is_pattern(self.actions[0])

    def is_any_action(self) -> bool:
        """Whether all actions match."""
        return self.actions is None or "*" in self.actions

    def is_all_of(self, names: Collection[str]) -> bool:
        """Whether there are no conditions besides these and the time span."""
        for field in dataclasses.fields(self):
            if field.name in ("start", "end", *names) or getattr(self, field.name) is None:
                continue
            if field.name != "actions" or not self.is_any_action():
                return False
        return True


def is_pattern(action: str) -> bool:
    """Whether an action is a pattern."""
    return "*" in action
