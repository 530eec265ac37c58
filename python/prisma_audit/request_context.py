"""What a request says of who and where."""

from __future__ import annotations

import ipaddress
import re
import sys
from collections.abc import Collection, Iterable, Mapping
from typing import Union

from .errors import AuditError
from .ids import new_id
from .shape import is_address

Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]


def request_id_of(given: str | None) -> str:
    """Give the request's own id if it is at most 128 visible ASCII characters, else a UUIDv7.

    Anything else (a novel, control characters that forge lines in a log) is replaced.
    """
    return given if given is not None and re.fullmatch(r"[\x21-\x7e]{1,128}", given) else new_id()


def client_address(given: str | None) -> str | None:
    """Give an address that the column `ip` accepts; None for a Unix socket, which has none."""
    # an IPv4 client on an IPv6 socket, RFC 4291 (2.5.5.2); and a zone, which means nothing outside its machine
    address = re.sub(
        r"%.*$", "", re.sub(r"^::ffff:(?=\d+\.)", "", given or "", flags=re.IGNORECASE | re.ASCII)
    )
    return address if is_address(address) else None


def trusted_networks(proxies: Iterable[str]) -> list[Network]:
    """Read the addresses and networks of proxies.

    Raises:
        AuditError: `AUDIT_INVALID_OPTIONS`
    """
    try:
        return [ipaddress.ip_network(proxy, strict=False) for proxy in proxies]
    except ValueError as error:
        raise AuditError(
            "AUDIT_INVALID_OPTIONS",
            f"The option trusted_proxies can't be used: {error}. Give addresses or networks: 10.0.0.7, 10.0.0.0/8.",
        ) from error


def forwarded_address(peer: str | None, forwarded: Collection[str], trusted: Iterable[Network]) -> str | None:
    """Give the client's address: the last one on the way that is not a trusted proxy.

    Args:
        peer: the address of the connection
        forwarded: the values of `x-forwarded-for`, which anybody can send
        trusted: the proxies whose word counts: each has appended the address that it was called from
    """
    networks = list(trusted)
    hops = [hop.strip() for value in forwarded for hop in value.split(",")]
    address = client_address(peer)
    while hops and address is not None and _is_trusted(address, networks):
        address = client_address(hops.pop())
    return address


def _is_trusted(address: str, networks: Iterable[Network]) -> bool:
    found = ipaddress.ip_address(address)
    return any(found.version == network.version and found in network for network in networks)


def trace_id_of(traceparent: str | None) -> str | None:
    """Give the trace that a request belongs to: OpenTelemetry's active one, else the one in the header `traceparent`."""
    received = re.match(
        r"(?!ff)[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}(?:-|$)", traceparent or "", re.ASCII
    )
    ids = [_active_trace_id(), received[1] if received else None]
    return next((id for id in ids if id is not None and id.strip("0")), None)


def _active_trace_id() -> str | None:
    """The active span, if the application has loaded OpenTelemetry."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return None
    return f"{trace.get_current_span().get_span_context().trace_id:032x}"


def headers_of(pairs: Iterable[tuple[bytes, bytes]]) -> Mapping[str, list[str]]:
    """Give the headers of a scope, by their names in lower case."""
    headers: dict[str, list[str]] = {}
    for name, value in pairs:
        headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return headers
