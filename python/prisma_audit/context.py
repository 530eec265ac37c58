"""Who and from where: contexts, which nest and merge."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from .errors import AuditError
from .json_values import Json, NotJsonError, to_json
from .shape import Problems

if TYPE_CHECKING:
    from typing_extensions import Unpack

ActorType = Literal["user", "system", "api_key"]
ACTOR_TYPES = ("user", "system", "api_key")


@dataclasses.dataclass(frozen=True)
class Actor:
    """Who acts. `id` is whatever identifies the actor in your application, at most 255 characters."""

    id: str
    type: ActorType = "user"
    email: str | None = None


def user(id: object, email: str | None = None) -> Actor:
    """Name a person as the actor; a number or a UUID becomes its text."""
    return Actor(id if isinstance(id, str) else str(id), "user", email)


def system(id: str) -> Actor:
    """Name a job or a service as the actor."""
    return Actor(id, "system")


def api_key(id: object) -> Actor:
    """Name the holder of an API key as the actor."""
    return Actor(str(id), "api_key")


class ContextFields(TypedDict, total=False):
    """What a context says. What is None or left out says nothing."""

    actor: Actor | None
    #: at most 255 characters
    request_id: str | None
    #: an IPv4 or IPv6 address, without port or prefix length
    ip: str | None
    user_agent: str | None
    #: at most 255 characters
    organization_id: str | None
    #: why it is done
    reason: str | None
    #: anything that the log's JSON can hold, for `details.metadata`
    metadata: Mapping[str, Any] | None


@dataclasses.dataclass(frozen=True)
class AuditContext:
    """Who and where: what the entries of a request have in common. `metadata` is JSON, as the log will have it."""

    actor: Actor | None = None
    request_id: str | None = None
    ip: str | None = None
    user_agent: str | None = None
    organization_id: str | None = None
    reason: str | None = None
    metadata: Mapping[str, Json] | None = None


ContextSource = Callable[[], ContextFields | AuditContext | None]

_NAMES = tuple(field.name for field in dataclasses.fields(AuditContext))
NOTHING = AuditContext()

#: Who acts in a request of somebody who has not signed in: a person, as far as anybody can tell.
ANONYMOUS = Actor("anonymous", "user")


def check_context(fields: Mapping[str, object], problems: Problems) -> dict[str, Json]:
    """Check the fields of a context; gives the metadata as JSON."""
    given = {name: value for name, value in fields.items() if value is not None}
    if "actor" in given:
        check_actor(given["actor"], problems)
    if "request_id" in given:
        problems.text(given["request_id"], "request_id", least=1, most=255)
    if "ip" in given:
        problems.address(given["ip"], "ip")
    if "user_agent" in given:
        problems.text(given["user_agent"], "user_agent")
    if "organization_id" in given:
        problems.text(given["organization_id"], "organization_id", least=1, most=255)
    if "reason" in given:
        problems.text(given["reason"], "reason")
    return _metadata(given["metadata"], problems) if "metadata" in given else {}


def check_actor(actor: object, problems: Problems) -> None:
    """Check that the log can store an actor."""
    if not isinstance(actor, Actor):
        problems.wrong_type("object", actor, "actor")
        return
    problems.text(actor.id, "actor.id", least=1, most=255)
    problems.choice(actor.type, ACTOR_TYPES, "actor.type")
    if actor.email is not None:
        problems.text(actor.email, "actor.email", least=1, most=255)


def _metadata(metadata: object, problems: Problems) -> dict[str, Json]:
    if isinstance(metadata, (str, bytes, int, float, list, tuple)):
        problems.add("must be an object", "metadata")
        return {}
    try:
        json = to_json(metadata, "metadata")
    except NotJsonError as error:
        problems.add(str(error), "metadata")
        return {}
    if isinstance(json, dict):
        return json
    problems.add("metadata is not an object in JSON", "metadata")
    return {}


def parse_context(given: Mapping[str, object] | AuditContext | None) -> AuditContext:
    """Check that the log can store a context.

    Raises:
        AuditError: `AUDIT_INVALID_CONTEXT`, naming the field and what it accepts
    """
    problems = Problems()
    fields = _fields(given, problems)
    metadata = check_context(fields, problems)
    problems.unknown([name for name in fields if name not in _NAMES])
    if problems:
        raise AuditError(
            "AUDIT_INVALID_CONTEXT",
            f"The audit context can't be stored, and an entry without it would be wrong: {problems}",
        )
    return context_with(fields, metadata)


def context_with(fields: Mapping[str, Any], metadata: Mapping[str, Json]) -> AuditContext:
    """Make a context of checked fields."""
    said: dict[str, Any] = {**fields, "metadata": metadata or None}
    return AuditContext(**said)


def _fields(given: object, problems: Problems) -> dict[str, Any]:
    if isinstance(given, AuditContext):
        return {name: getattr(given, name) for name in _NAMES}
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return dict(given)
    problems.wrong_type("object", given, "")
    return {}


def merge_contexts(outer: AuditContext, inner: AuditContext) -> AuditContext:
    """Give the outer context, overridden by the inner one field by field, and metadata key by key."""
    said = {name: value for name in _NAMES if (value := getattr(inner, name)) is not None}
    metadata = {**(outer.metadata or {}), **(inner.metadata or {})}
    return dataclasses.replace(outer, **{**said, "metadata": metadata or None})


@dataclasses.dataclass
class Frame:
    """One context inside another."""

    outer: Frame | None
    source: ContextSource | AuditContext
    #: whether it is that of an HTTP request: then nobody signed in is somebody unknown, not the system
    is_request: bool = False
    #: who signed in during the request
    actor: Actor | None = None


_frame: ContextVar[Frame | None] = ContextVar("prisma_audit_context", default=None)


@contextlib.contextmanager
def audit_context(**fields: Unpack[ContextFields]) -> Iterator[None]:
    """Run a block in a context: every entry made inside, however deep in calls and tasks, has it.

    Contexts nest and merge: an inner one adds to the outer one and overrides it field by field.

    Raises:
        AuditError: `AUDIT_INVALID_CONTEXT` before the block runs, when the log could not store a value

    Example:
        >>> with audit_context(actor=system("nightly"), reason="cleanup"):
        ...     await audit.record("report.purge")
    """
    with framed(parse_context(fields)):
        yield


@contextlib.contextmanager
def framed(source: ContextSource | AuditContext, *, is_request: bool = False) -> Iterator[Frame]:
    """Run a block in a context, or in one that is asked for each entry."""
    frame = Frame(_frame.get(), source, is_request)
    token = _frame.set(frame)
    try:
        yield frame
    finally:
        # a generator may be closed in another task than it began in; that one never had the context
        with contextlib.suppress(ValueError):
            _frame.reset(token)


def get_audit_context() -> AuditContext | None:
    """Give the context of the running code, merged from all enclosing ones; None outside any.

    Example:
        >>> logger.info("paid", extra={"request_id": context.request_id if (context := get_audit_context()) else None})
    """
    frame = _frame.get()
    return None if frame is None else _context_of(frame)


def set_actor(actor: Actor) -> None:
    """Say who acts in the current request, from now on: for whatever authenticates, such as a FastAPI dependency.

    Raises:
        AuditError: `AUDIT_INVALID_CONTEXT` outside a request of the middleware, or if the log can't store the actor

    Example:
        >>> async def current_user(token: str = Depends(scheme)) -> User:
        ...     found = await users.by_token(token)
        ...     set_actor(user(found.id, found.email))
        ...     return found
    """
    frame = _frame.get()
    while frame is not None and not frame.is_request:
        frame = frame.outer
    if frame is None:
        raise AuditError(
            "AUDIT_INVALID_CONTEXT",
            "There is no request to name the actor of: the middleware is not in place, or this code runs outside of it. "
            "Add AuditMiddleware to the application, or use audit.context(actor=…).",
        )
    frame.actor = parse_context({"actor": actor}).actor


def is_in_request() -> bool:
    """Whether the running code works for an HTTP request."""
    frame = _frame.get()
    while frame is not None:
        if frame.is_request:
            return True
        frame = frame.outer
    return False


def _context_of(frame: Frame) -> AuditContext:
    outer = NOTHING if frame.outer is None else _context_of(frame.outer)
    own = merge_contexts(_of_source(frame), AuditContext(actor=frame.actor))
    return merge_contexts(outer, own)


def _of_source(frame: Frame) -> AuditContext:
    if isinstance(frame.source, AuditContext):
        return frame.source
    # a source may ask for the context around it, which must not ask the source again
    token = _frame.set(frame.outer)
    try:
        return parse_context(frame.source())
    finally:
        _frame.reset(token)
