"""What a type checker says of calls: mypy reads it, nothing runs it. Each ignored error must be one."""

from __future__ import annotations

from prisma_audit import AuditEntry, AuditError, AuditLog, AuditPage, SyncAuditLog, audit_context, user


async def calls(audit: AuditLog, sync: SyncAuditLog) -> None:
    entry: AuditEntry = await audit.record("a.b", resource_id=42, details={"rows": 250}, actor=user("ada"))
    await audit.record("a.b", resource="report")  # type: ignore[call-arg]
    await audit.record("a.b", outcome="maybe")  # type: ignore[arg-type]
    await audit.record("a.b", actor="ada")  # type: ignore[arg-type]
    await audit.record()  # type: ignore[call-arg]
    await audit.log_login("ada", success=False, reason="wrong password")
    page: AuditPage = await audit.search(action=["a.b", "a.*"], since="2026-01-01", limit=10, cursor=None)
    await audit.search(tenant="x")  # type: ignore[call-arg]
    async with audit.context(actor=user("ada"), reason="monthly close"), audit.transaction() as tx:
        await audit.on(tx).record("a.b")
    with audit_context(request_id=7):  # type: ignore[arg-type]
        pass
    with sync.context(reason="x"):
        stored: AuditEntry = sync.record("a.b")
    print(
        entry.id, entry.resource.id, [change.from_ for change in entry.changes], page.next_cursor, stored.seq
    )


def codes(error: AuditError) -> str:
    return error.code
