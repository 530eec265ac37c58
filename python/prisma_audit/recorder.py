"""Makes entries of events: the event's own values, and the context's for those it lacks."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from typing import Any

from .context import (
    ANONYMOUS,
    NOTHING,
    AuditContext,
    get_audit_context,
    is_in_request,
    merge_contexts,
    system,
    user,
)
from .details import change_details, event_details, login_failure
from .entry import NewEntry
from .errors import AuditError
from .event import Identifier, parse_event
from .ids import new_id
from .options import Options

_SYSTEM = system("system")
logger = logging.getLogger("prisma_audit")


def attributed_context(options: Options) -> tuple[AuditContext, bool]:
    """Give the context of the running code, with an actor, and whether a context or an option named that actor.

    In an HTTP request that is nobody, who must not look like a trusted job.
    """
    context = get_audit_context() or NOTHING
    if context.actor is not None:
        return context, True
    if is_in_request():
        return dataclasses.replace(context, actor=ANONYMOUS), False
    return dataclasses.replace(context, actor=options.actor or _SYSTEM), options.actor is not None


def event_entry(options: Options, action: object, fields: Mapping[str, Any]) -> NewEntry:
    """Check an event and make its entry.

    Raises:
        AuditError: `AUDIT_INVALID_EVENT`, `AUDIT_INVALID_CONTEXT`, `AUDIT_ACTOR_REQUIRED`
    """
    event = parse_event(action, fields)
    around, has_actor = attributed_context(options)
    if options.require_actor and not has_actor and event.said.actor is None:
        raise AuditError(
            "AUDIT_ACTOR_REQUIRED",
            "An event has no actor, and the option require_actor is set. Nothing was written. Name the actor in the event, or "
            "record it inside audit.context(actor=…).",
        )
    context = merge_contexts(around, event.said)
    resource_type = event.action.split(".")[0] if event.resource_type is None else event.resource_type
    return NewEntry(
        id=new_id(),
        action=event.action,
        resource_type=resource_type,
        resource_id=event.resource_id,
        outcome=event.outcome,
        reason=context.reason,
        details=event_details(options, resource_type, event.details, context.metadata),
        actor=context.actor or _SYSTEM,
        context=context,
    )


def login_entry(
    options: Options,
    user_id: Identifier,
    success: bool,
    reason: str | None,
    details: Mapping[str, Any] | None,
) -> NewEntry:
    """Make the entry of a login, with the user as actor."""
    fields: dict[str, Any] = {"actor": user(user_id), "resource_type": "user", "resource_id": user_id}
    if success:
        fields |= {"reason": reason, "details": details}
    elif reason is not None:
        fields |= {"outcome": "failure", "reason": reason, "details": details}
    else:
        why, others = login_failure(details)
        fields |= {"outcome": "failure", "reason": why, "details": others}
    return event_entry(options, "user.login", fields)


def access_entry(options: Options, actor_id: Identifier, type: str, id: Identifier) -> NewEntry:
    """Make the entry of a read by a user."""
    fields = {"actor": user(actor_id), "resource_type": type, "resource_id": id}
    return event_entry(options, f"{type}.read", fields)


def change_entry(
    options: Options,
    actor_id: Identifier,
    type: str,
    id: Identifier,
    verb: str,
    before: object,
    after: object,
) -> NewEntry:
    """Make the entry of a change that the database does not see, by a user."""
    details = change_details(options, type, verb, before, after)
    fields = {"actor": user(actor_id), "resource_type": type, "resource_id": id, "details": details}
    return event_entry(options, f"{type}.{verb}", fields)


def export_entry(options: Options, type: str, details: Mapping[str, Any] | None) -> NewEntry:
    """Make the entry of an export by the actor of the context."""
    return event_entry(options, f"{type}.export", {"resource_type": type, "details": details})


def failure_entry(options: Options, action: str, reason: str) -> NewEntry:
    """Make the entry of a transaction that the database refused."""
    context, _ = attributed_context(options)
    details: dict[str, Any] = {
        "operation": "transaction",
        **({"metadata": context.metadata} if context.metadata else {}),
    }
    return NewEntry(
        id=new_id(),
        action=action,
        resource_type=action.split(".")[0],
        resource_id=None,
        outcome="failure",
        reason=reason,
        details=event_details(options, action.split(".")[0], details, None),
        actor=context.actor or _SYSTEM,
        context=context,
    )


NO_QUEUE = (
    "Queued entries are written later and survive a rollback, so they need connections of their own, and this log has a "
    "single connection or session. Make the AuditLog of a pool or an engine, and use audit.on(connection) for a transaction."
)


def report_loss(options: Options, error: Exception) -> None:
    """Report an entry that could be neither written nor queued. Never raises."""
    loss = AuditError(
        "AUDIT_NOT_WRITTEN",
        "An entry about a failed write could not be written or queued, so the log lacks it. See cause.",
    )
    loss.__cause__ = error
    try:
        if options.on_error is not None:
            options.on_error(loss)
            return
    except Exception:
        logger.exception("on_error failed")
    logger.critical("%s", loss, exc_info=error)
