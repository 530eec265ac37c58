"""An entry of the log, on its way in and out."""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from .context import Actor, ActorType, AuditContext
from .details import differing_fields
from .event import Outcome
from .json_values import Json, to_text
from .moments import moment_at


@dataclasses.dataclass(frozen=True)
class Resource:
    """What an entry is about."""

    type: str
    id: str | None


@dataclasses.dataclass(frozen=True)
class FieldChange:
    """What an update did to a field."""

    field: str
    from_: Json
    to: Json


@dataclasses.dataclass(frozen=True)
class AuditEntry:
    """An entry of the log, as questions give it."""

    #: UUIDv7
    id: str
    #: wall-clock time of the write, in UTC, to the microsecond
    timestamp: datetime.datetime
    #: `resource.verb`: "orderItem.update"
    action: str
    actor: Actor
    resource: Resource
    outcome: Outcome
    reason: str | None
    #: as stored; see docs/entries.md, "Details"
    details: Mapping[str, Any] | None
    request_id: str | None
    ip: str | None
    user_agent: str | None
    organization_id: str | None
    #: the order of entries
    seq: int
    #: entries with the same value were committed together
    transaction_id: int

    @property
    def before(self) -> Mapping[str, Any] | None:
        """The record before, as `details` has it; None where there is none."""
        return self._record("before")

    @property
    def after(self) -> Mapping[str, Any] | None:
        """The record after, as `details` has it; None where there is none."""
        return self._record("after")

    @property
    def changes(self) -> list[FieldChange]:
        """The fields that an update changed; empty for everything else."""
        before, after = self.before or {}, self.after or {}
        return [FieldChange(field, before.get(field), after.get(field)) for field in self._changed()]

    def _record(self, side: str) -> Mapping[str, Any] | None:
        # an event's details may have something else under this name
        value = (self.details or {}).get(side)
        return value if isinstance(value, Mapping) else None

    def _changed(self) -> list[str]:
        listed = (self.details or {}).get("changed")
        if isinstance(listed, list):
            return [field for field in listed if isinstance(field, str)]
        before, after = self.before, self.after
        return [] if before is None or after is None else differing_fields(before, after)


#: The columns that a writer sets; the database fills in the others.
WRITTEN = (
    *(
        "id",
        "action",
        "actor_id",
        "actor_type",
        "actor_email",
        "resource_type",
        "resource_id",
        "outcome",
        "reason",
    ),
    *("details", "request_id", "ip", "user_agent", "organization_id"),
)

#: What to select of an entry: texts, so that no driver's settings change them.
COLUMNS = ", ".join(
    [
        *("pg_catalog.host(ip)" if name == "ip" else f'CAST("{name}" AS text)' for name in WRITTEN),
        'CAST(CAST(extract(epoch FROM "timestamp") * 1000000 AS int8) AS text)',
        "CAST(seq AS text)",
        "CAST(transaction_id AS text)",
    ]
)


def entry_of(row: Sequence[Any]) -> AuditEntry:
    """Give the entry of a row of `COLUMNS`."""
    values = dict(zip(WRITTEN, row, strict=False))
    microseconds, seq, transaction_id = row[len(WRITTEN) : len(WRITTEN) + 3]
    return AuditEntry(
        id=values["id"],
        timestamp=moment_at(int(microseconds)),
        action=values["action"],
        actor=Actor(values["actor_id"], cast(ActorType, values["actor_type"]), values["actor_email"]),
        resource=Resource(values["resource_type"], values["resource_id"]),
        outcome=cast(Outcome, values["outcome"]),
        reason=values["reason"],
        details=None if values["details"] is None else json.loads(values["details"]),
        request_id=values["request_id"],
        ip=values["ip"],
        user_agent=values["user_agent"],
        organization_id=values["organization_id"],
        seq=int(seq),
        transaction_id=int(transaction_id),
    )


@dataclasses.dataclass(frozen=True)
class NewEntry:
    """An entry about to be written. It has its id already, so writing it again after a lost answer adds no second one."""

    id: str
    action: str
    resource_type: str
    resource_id: str | None
    outcome: str
    reason: str | None
    details: Mapping[str, Json] | None
    actor: Actor
    context: AuditContext

    def row(self) -> dict[str, Json]:
        """Give the entry by the names of the log's columns."""
        return {
            "id": self.id,
            "action": self.action,
            "actor_id": self.actor.id,
            "actor_type": self.actor.type,
            "actor_email": self.actor.email,
            "resource_type": self.resource_type,
            "resource_id": self.resource_id,
            "outcome": self.outcome,
            "reason": self.reason,
            "details": None if self.details is None else dict(self.details),
            "request_id": self.context.request_id,
            "ip": self.context.ip,
            "user_agent": self.context.user_agent,
            "organization_id": self.context.organization_id,
        }

    def text(self) -> str:
        """Give the row as JSON."""
        return to_text(self.row())
