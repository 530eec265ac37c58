"""Requests: who and from where, without leaks between them, in FastAPI and in plain ASGI."""

import asyncio
from contextlib import asynccontextmanager

import asyncpg
import httpx
import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request, WebSocket
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient

from prisma_audit import (
    AuditError,
    AuditLog,
    AuditMiddleware,
    SyncAuditLog,
    get_audit_context,
    set_actor,
    user,
)
from prisma_audit.context import is_in_request


def client_of(app, peer: str = "203.0.113.7") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(peer, 4711))
    return httpx.AsyncClient(transport=transport, base_url="http://test")


@pytest.fixture
def app(db, audit: AuditLog) -> FastAPI:
    app = FastAPI()

    async def current_user(request: Request) -> str:
        name = request.headers.get("authorization", "")
        if not name:
            raise HTTPException(401)
        await asyncio.sleep(0)
        set_actor(user(name))
        return name

    signed_in = Depends(current_user)

    @app.post("/orders/{id}")
    async def order(id: int, name: str = signed_in) -> dict:
        await asyncio.sleep(0.001)
        entry = await audit.record("order.view", resource_id=id, details={"name": name})
        return {"actor": entry.actor.id, "request": entry.request_id}

    @app.get("/sync")
    def in_a_thread(name: str = signed_in) -> dict:
        context = get_audit_context()
        return {"actor": context.actor.id, "ip": context.ip}

    @app.get("/stream")
    async def stream(name: str = signed_in) -> StreamingResponse:
        async def lines():
            for number in range(3):
                await asyncio.sleep(0)
                entry = await audit.record("report.line", details={"number": number})
                yield f"{entry.actor.id} {entry.request_id}\n"

        return StreamingResponse(lines())

    @app.get("/background")
    async def background(tasks: BackgroundTasks, name: str = signed_in) -> dict:
        tasks.add_task(audit.record, "report.later")
        return {}

    @app.get("/fails")
    async def fails(name: str = signed_in) -> None:
        await audit.record("report.export", outcome="failure", reason="out of paper")
        await audit.queue("report.retry", outcome="failure", reason="out of paper")
        raise RuntimeError("out of paper")

    @app.get("/refused")
    async def refused(name: str = signed_in) -> None:
        async with audit.transaction() as tx:
            await tx.execute("INSERT INTO users (id, email, updated_at) VALUES (9, NULL, now())")

    @app.get("/anonymous")
    async def anonymous() -> dict:
        entry = await audit.record("page.view")
        return {"actor": entry.actor.id, "type": entry.actor.type}

    app.add_middleware(AuditMiddleware, audit=audit)
    return app


async def test_the_entry_says_who_and_from_where(db, app) -> None:
    async with client_of(app) as client:
        headers = {"authorization": "ada", "x-request-id": "req-42", "user-agent": "Firefox"}
        response = await client.post("/orders/7", headers=headers)
    assert response.headers["x-request-id"] == "req-42"
    entry = db.last()
    assert (
        entry["actor_id"],
        entry["request_id"],
        str(entry["ip"]),
        entry["user_agent"],
        entry["resource_id"],
    ) == (*("ada", "req-42", "203.0.113.7", "Firefox", "7"),)


async def test_contexts_do_not_leak_between_a_thousand_requests_at_once(db, app) -> None:
    before = db.count()
    async with client_of(app) as client:

        async def one(number: int) -> None:
            headers = {"authorization": f"user-{number}", "x-request-id": f"req-{number}"}
            answer = (await client.post(f"/orders/{number}", headers=headers)).json()
            assert answer == {"actor": f"user-{number}", "request": f"req-{number}"}

        await asyncio.gather(*map(one, range(1_000)))
    rows = db.sql(
        "SELECT actor_id, request_id, resource_id, details FROM audit_logs ORDER BY seq DESC LIMIT 1000"
    )
    assert {(r["actor_id"], r["request_id"], r["resource_id"], r["details"]["name"]) for r in rows} == {
        (f"user-{number}", f"req-{number}", str(number), f"user-{number}") for number in range(1_000)
    }
    assert db.count() == before + 1_000
    assert get_audit_context() is None


async def test_a_streamed_response_keeps_its_context(db, app) -> None:
    async with client_of(app) as client:
        response = await client.get("/stream", headers={"authorization": "ada", "x-request-id": "req-s"})
    assert response.text == "ada req-s\n" * 3
    entries = db.entries()[-3:]
    assert {(entry["actor_id"], entry["request_id"]) for entry in entries} == {("ada", "req-s")}


async def test_threads_and_background_tasks_have_it_too(db, app) -> None:
    async with client_of(app) as client:
        assert (await client.get("/sync", headers={"authorization": "ada"})).json() == {
            "actor": "ada",
            "ip": "203.0.113.7",
        }
        await client.get("/background", headers={"authorization": "bob"})
    assert (db.last()["action"], db.last()["actor_id"]) == ("report.later", "bob")


async def test_an_exception_in_a_handler_leaves_the_failure(db, app, audit: AuditLog) -> None:
    async with client_of(app) as client:
        assert (await client.get("/fails", headers={"authorization": "ada"})).status_code == 500
        await audit.flush()
        expected = [("report.export", "failure", "ada"), ("report.retry", "failure", "ada")]
        assert [(e["action"], e["outcome"], e["actor_id"]) for e in db.entries()[-2:]] == expected
        assert (
            await client.get("/refused", headers={"authorization": "ada", "x-request-id": "r"})
        ).status_code == 500
    entry = db.last()
    assert (entry["action"], entry["outcome"], entry["actor_id"], entry["request_id"]) == (
        *("raw.execute", "failure", "ada", "r"),
    )
    assert entry["reason"].startswith("23502: null value in column")


async def test_nobody_signed_in_is_anonymous_and_not_the_system(app) -> None:
    async with client_of(app) as client:
        assert (await client.get("/anonymous")).json() == {"actor": "anonymous", "type": "user"}


async def test_where_an_actor_is_required_anonymous_is_none(pool: asyncpg.Pool) -> None:
    strict = AuditLog(pool, require_actor=True, actor=user("worker"))
    codes = []

    async def app(scope, receive, send) -> None:
        try:
            await strict.record("a.b")
        except AuditError as error:
            codes.append(error.code)

    await AuditMiddleware(app)({"type": "http", "headers": [], "client": None}, None, None)
    assert codes == ["AUDIT_ACTOR_REQUIRED"]
    assert (await strict.record("a.b")).actor.id == "worker"


async def known(scope: dict, **options) -> object:
    found = None

    async def app(scope, receive, send) -> None:
        nonlocal found
        found = get_audit_context()

    await AuditMiddleware(app, **options)({"type": "http", "headers": [], **scope}, None, None)
    return found


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["6.6.6.6, 203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["6.6.6.6", "203.0.113.7, 10.0.0.2"], "203.0.113.7"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["203.0.113.7, unknown"], None),
        ("::ffff:10.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        ("fd00::1", ["2001:db8::7"], "2001:db8::7"),
        ("2001:db8::1", ["2001:db8::7"], "2001:db8::1"),
    ],
)
async def test_only_trusted_proxies_say_where_a_request_comes_from(peer, forwarded, address) -> None:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    scope = {"client": (peer, 1), "headers": headers}
    assert (await known(scope, trusted_proxies=["10.0.0.0/8", "fd00::/8"])).ip == address
    untrusting = await known(scope)
    assert untrusting.ip == peer.removeprefix("::ffff:")


def test_proxies_that_are_no_addresses_are_refused() -> None:
    with pytest.raises(AuditError, match="trusted_proxies"):
        AuditMiddleware(None, trusted_proxies=["proxy.example.com"])


async def test_options_are_asked_when_an_entry_is_written() -> None:
    seen = []

    async def app(scope, receive, send) -> None:
        seen.append(get_audit_context().actor)
        scope["state"]["user"] = "ada"
        context = get_audit_context()
        seen.append((context.actor, context.organization_id, context.metadata))

    middleware = AuditMiddleware(
        app,
        actor=lambda scope: user(scope["state"]["user"]) if "user" in scope["state"] else None,
        organization_id=lambda scope: "org-1",
        metadata=lambda scope: {"path": scope["path"]},
    )
    traceparent = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await middleware(
        {"type": "http", "headers": [(b"traceparent", traceparent)], "client": None, "path": "/x"}, None, None
    )
    trace = "0af7651916cd43dd8448eb211c80319c"
    assert seen == [None, (user("ada"), "org-1", {"traceId": trace, "path": "/x"})]


async def test_the_application_may_name_the_request_itself() -> None:
    sent = []

    async def app(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"X-Request-Id", b"own")]})

    async def send(message) -> None:
        sent.append(message)

    await AuditMiddleware(app)({"type": "http", "headers": [], "client": None}, None, send)
    assert sent[0]["headers"] == [(b"X-Request-Id", b"own")]


def test_websockets_have_a_context() -> None:
    app = FastAPI()

    @app.websocket("/ws")
    async def talk(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_json([get_audit_context().request_id, is_in_request()])
        await websocket.close()

    app.add_middleware(AuditMiddleware)
    with (
        TestClient(app) as client,
        client.websocket_connect("/ws", headers={"x-request-id": "req-w"}) as socket,
    ):
        assert socket.receive_json() == ["req-w", True]


async def test_shutdown_writes_the_queue_before_the_application_closes_its_pool(db) -> None:
    events = []

    @asynccontextmanager
    async def lifespan(app):
        async with asyncpg.create_pool(db.url, min_size=1) as pool:
            logs.append(AuditLog(pool))
            yield
        events.append("closed")

    logs: list[AuditLog] = []

    class Late:
        """The log is made when the application starts."""

        async def flush(self) -> None:
            await logs[0].flush()
            events.append("flushed")

    async def app(scope, receive, send) -> None:
        async with lifespan(app):
            await receive()
            await logs[0].queue("app.stop")
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

    async def receive():
        return messages.pop(0)

    async def send(message) -> None:
        events.append(message["type"])

    await AuditMiddleware(app, audit=Late())({"type": "lifespan"}, receive, send)
    assert events == ["flushed", "closed", "lifespan.shutdown.complete"]
    assert db.last()["action"] == "app.stop"


def test_set_actor_outside_a_request() -> None:
    with pytest.raises(AuditError, match="There is no request"):
        set_actor(user("ada"))


def test_sync_endpoints_write_with_the_sync_log(db) -> None:
    import psycopg_pool

    app = FastAPI()
    with psycopg_pool.ConnectionPool(db.url, min_size=1) as pool:
        audit = SyncAuditLog(pool)

        @app.get("/")
        def index() -> str:
            with audit.context(reason="because"):
                return audit.record("page.view").id

        app.add_middleware(AuditMiddleware, actor=lambda scope: user("ada"))
        with TestClient(app) as client:
            client.get("/", headers={"x-request-id": "req-t"})
    entry = db.last()
    assert (entry["actor_id"], entry["request_id"], entry["reason"]) == ("ada", "req-t", "because")
