"""The audit log of prisma-extension-audit, from Python: the same events, contexts and questions on the same table.

Example:
    >>> audit = AuditLog(pool)
    >>> app.add_middleware(AuditMiddleware, audit=audit)
    >>> await audit.record("report.export", resource_type="report", resource_id="42", details={"rows": 250})
    >>> async with audit.context(actor=user("ada"), reason="monthly close"), audit.transaction() as tx:
    ...     await tx.execute("UPDATE …")

"""

from .audit_log import AuditLog
from .context import (
    Actor,
    AuditContext,
    ContextFields,
    api_key,
    audit_context,
    get_audit_context,
    set_actor,
    system,
    user,
)
from .entry import AuditEntry, FieldChange, Resource
from .errors import ERROR_CODES, AuditError
from .event import EventFields
from .middleware import AuditMiddleware
from .search.filter import SearchFilter
from .search.page import AuditPage
from .sync_audit_log import SyncAuditLog

__all__ = [
    "ERROR_CODES",
    "Actor",
    "AuditContext",
    "AuditEntry",
    "AuditError",
    "AuditLog",
    "AuditMiddleware",
    "AuditPage",
    "ContextFields",
    "EventFields",
    "FieldChange",
    "Resource",
    "SearchFilter",
    "SyncAuditLog",
    "api_key",
    "audit_context",
    "get_audit_context",
    "set_actor",
    "system",
    "user",
]
