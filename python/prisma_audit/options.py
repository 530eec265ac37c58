"""The options of a log, checked."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Collection, Mapping

from .context import Actor, check_actor
from .errors import AuditError
from .secret_names import is_secret
from .shape import Problems

OnError = Callable[[AuditError], None]
FieldsByResource = Mapping[str, Collection[str]]


@dataclasses.dataclass(frozen=True)
class Options:
    """How a log records. See `AuditLog` for what they mean."""

    table: str = "audit_logs"
    actor: Actor | None = None
    require_actor: bool = False
    redact: FieldsByResource = dataclasses.field(default_factory=dict)
    redact_secrets: bool = True
    ignore: FieldsByResource = dataclasses.field(default_factory=dict)
    snapshot: str = "full"
    flush_timeout: float = 10.0
    on_error: OnError | None = None

    def __post_init__(self) -> None:
        problems = Problems()
        if self.actor is not None:
            check_actor(self.actor, problems)
        problems.choice(self.snapshot, ("full", "changed"), "snapshot")
        for name in ("redact", "ignore"):
            if any(isinstance(fields, str) for fields in getattr(self, name).values()):
                problems.add('must be lists of fields: {"order": ["iban"]}', name)
        if problems:
            raise AuditError("AUDIT_INVALID_OPTIONS", f"AuditLog got options it can't use: {problems}")
        quoted_table(self.table)

    def is_redacted(self, resource: str | None, field: str) -> bool:
        """Whether the log must not hold a field's value; `resource` is None deeper inside a record."""
        return _lists(self.redact, resource, field) or (self.redact_secrets and is_secret(field))

    def is_ignored(self, resource: str, field: str) -> bool:
        """Whether a changed field is not worth listing."""
        return _lists(self.ignore, resource, field)


def _lists(by_resource: FieldsByResource, resource: str | None, field: str) -> bool:
    own = by_resource.get(resource, ()) if resource is not None else ()
    return field in own or field in by_resource.get("*", ())


_IDENTIFIER = r'(?:[^".\0\s]+|"(?:[^"\0]|"")+")'


def quoted_table(table: str, suffix: str = "") -> str:
    """Give a table, or a function called after it, quoted: `audit.log` → `"audit"."log"`.

    Raises:
        AuditError: `AUDIT_INVALID_OPTIONS` when it is not a name
    """
    match = re.fullmatch(rf"(?:({_IDENTIFIER})\.)?({_IDENTIFIER})", table)
    names = [_unquoted(name) for name in match.groups() if name is not None] if match else []
    if not names or any(len(name.encode()) > 63 for name in names):
        raise AuditError(
            "AUDIT_INVALID_OPTIONS",
            f'The table {json.dumps(table, ensure_ascii=False)} is not a table name. Give "name" or "schema.name", each at '
            "most 63 bytes; a name with dots or spaces goes in double quotes.",
        )
    names[-1] += suffix
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
