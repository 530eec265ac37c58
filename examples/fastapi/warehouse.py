"""A warehouse on FastAPI, beside the order desk on Express: one database, one log. See README.md."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from prisma_audit import AuditLog, AuditMiddleware, api_key, set_actor

#: Who holds which key.
KEYS = {"let-me-count": api_key("scanner-1")}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the pool and the log; what the log has queued is written before the pool closes."""
    async with asyncpg.create_pool(os.environ["WAREHOUSE_DATABASE_URL"]) as pool, AuditLog(pool) as audit:
        app.state.pool, app.state.audit = pool, audit
        yield


app = FastAPI(title="Warehouse")
app.router.lifespan_context = lifespan  # FastAPI 0.93 and newer: FastAPI(lifespan=lifespan)
app.add_middleware(AuditMiddleware)


def the_log(request: Request) -> AuditLog:
    """Give the log."""
    return request.app.state.audit


def the_pool(request: Request) -> asyncpg.Pool:
    """Give the database."""
    return request.app.state.pool


async def signed_in(request: Request, audit: AuditLog = Depends(the_log)) -> None:
    """Let holders of a key in, and record who else has tried."""
    holder = KEYS.get(request.headers.get("x-api-key", ""))
    if holder is None:
        await audit.record("apiKey.use", outcome="failure", reason="unknown key")
        raise HTTPException(401, "Send your key as x-api-key")
    set_actor(holder)


class Count(BaseModel):
    """What somebody has counted."""

    counted: int
    note: str


@app.put("/products/{sku}/stock", dependencies=[Depends(signed_in)])
async def count(sku: str, body: Count, audit: AuditLog = Depends(the_log)) -> dict[str, int]:
    """Correct the stock: the change and the event commit together, or not at all."""
    async with audit.context(reason=body.note), audit.transaction() as tx:
        before = await tx.fetchval('SELECT stock FROM "Product" WHERE sku = $1 FOR UPDATE', sku)
        if before is None:
            raise HTTPException(404, "No such product")
        await tx.execute('UPDATE "Product" SET stock = $2 WHERE sku = $1', sku, body.counted)
        await audit.on(tx).record(
            "product.count", resource_id=sku, details={"difference": body.counted - before}
        )
    return {"stock": body.counted}


@app.get("/products.csv", dependencies=[Depends(signed_in)])
async def export(
    audit: AuditLog = Depends(the_log), pool: asyncpg.Pool = Depends(the_pool)
) -> StreamingResponse:
    """Give all products. Who took data out of the house is worth an entry, once it is out."""
    products = await pool.fetch('SELECT sku, price, stock FROM "Product" ORDER BY sku')

    async def lines() -> AsyncIterator[str]:
        yield "sku,price,stock\n"
        for product in products:
            yield f"{product['sku']},{product['price']},{product['stock']}\n"
        await audit.log_export("product", {"format": "csv", "rows": len(products)})

    return StreamingResponse(lines(), media_type="text/csv")


@app.get("/products/{sku}/history", dependencies=[Depends(signed_in)])
async def history(
    sku: str, cursor: str | None = None, audit: AuditLog = Depends(the_log)
) -> dict[str, object]:
    """What happened to a product, whichever service did it."""
    page = await audit.history("product", sku, limit=20, cursor=cursor)
    entries = [
        {
            "timestamp": entry.timestamp,
            "action": entry.action,
            "actor": entry.actor.id,
            "reason": entry.reason,
            "changes": {change.field: [change.from_, change.to] for change in entry.changes},
        }
        for entry in page.entries
    ]
    return {"entries": entries, "next": page.next_cursor}
