"""ASGI middleware that gives every entry of a request its context."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any

from .audit_log import AuditLog
from .context import Actor, AuditContext, ContextFields, ContextSource, framed, merge_contexts, parse_context
from .request_context import (
    client_address,
    forwarded_address,
    headers_of,
    request_id_of,
    trace_id_of,
    trusted_networks,
)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class AuditMiddleware:
    """Gives every entry of a request its context: request id, address, user agent, trace, and who acts.

    The response carries the request's id. It is plain ASGI, for FastAPI, Starlette and whatever else speaks it: the context
    holds in handlers, dependencies, background tasks and streamed responses. Add it last, so that it runs first.

    Args:
        app: the application
        audit: its queue is flushed when the application shuts down
        actor: who acts; asked when an entry is written, so authentication may come anywhere after the middleware. Where
            neither this nor `set_actor` nor another context names an actor, entries have `user("anonymous")`
        organization_id: for `organization_id`; asked when an entry is written
        metadata: for `details.metadata`; asked when an entry is written
        request_id_header: the header with the request's id, in requests and responses
        trusted_proxies: addresses or networks of proxies whose `x-forwarded-for` counts. Default none: the address is the
            connection's, which is also right where uvicorn's `--forwarded-allow-ips` has set it

    Example:
        >>> app.add_middleware(
        ...     AuditMiddleware, audit=audit, actor=lambda scope: scope["state"].get("user"), trusted_proxies=["10.0.0.0/8"]
        ... )
    """

    def __init__(
        self,
        app: App,
        *,
        audit: AuditLog | None = None,
        actor: Callable[[Scope], Actor | None] | None = None,
        organization_id: Callable[[Scope], str | None] | None = None,
        metadata: Callable[[Scope], Mapping[str, Any] | None] | None = None,
        request_id_header: str = "x-request-id",
        trusted_proxies: Iterable[str] = (),
    ) -> None:
        self._app = app
        self._audit = audit
        self._actor = actor
        self._organization_id = organization_id
        self._metadata = metadata
        self._request_id_header = request_id_header.lower()
        self._trusted = trusted_networks(trusted_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application in the context of a request."""
        if scope["type"] == "lifespan":
            await self._app(scope, self._flushing(receive), send)
        elif scope["type"] in ("http", "websocket"):
            # whatever authenticates may put the user here, also in a copy of the scope
            scope.setdefault("state", {})
            known = self._known(scope)
            with framed(self._source(known, scope), is_request=True):
                await self._app(scope, receive, self._naming(send, known.request_id or ""))
        else:
            await self._app(scope, receive, send)

    def _known(self, scope: Scope) -> AuditContext:
        headers = headers_of(scope["headers"])

        def first(name: str) -> str | None:
            return next(iter(headers.get(name, ())), None)

        client = scope.get("client")
        peer = client[0] if client else None
        address = (
            forwarded_address(peer, headers.get("x-forwarded-for", []), self._trusted)
            if self._trusted
            else client_address(peer)
        )
        agent = first("user-agent")
        trace_id = trace_id_of(first("traceparent"))
        return AuditContext(
            request_id=request_id_of(first(self._request_id_header)),
            ip=address,
            user_agent=None if agent is None else agent.replace("\0", ""),
            metadata=None if trace_id is None else {"traceId": trace_id},
        )

    def _source(self, known: AuditContext, scope: Scope) -> ContextSource | AuditContext:
        if not (self._actor or self._organization_id or self._metadata):
            return known

        def source() -> AuditContext:
            said: ContextFields = {
                "actor": self._actor(scope) if self._actor else None,
                "organization_id": self._organization_id(scope) if self._organization_id else None,
                "metadata": self._metadata(scope) if self._metadata else None,
            }
            return merge_contexts(known, parse_context(said))

        return source

    def _naming(self, send: Send, request_id: str) -> Send:
        """Put the request's id on the response, unless the application has put one there."""
        name = self._request_id_header.encode("latin-1")

        async def named(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.accept"):
                headers = list(message.get("headers") or [])
                if all(key.lower() != name for key, _ in headers):
                    message = {**message, "headers": [*headers, (name, request_id.encode("latin-1"))]}
            await send(message)

        return named

    def _flushing(self, receive: Receive) -> Receive:
        """Write the queue before the application closes what it is written through."""
        if self._audit is None:
            return receive
        flush = self._audit.flush

        async def flushed() -> Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await flush()
            return message

        return flushed
