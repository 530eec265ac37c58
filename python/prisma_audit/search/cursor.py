"""Cursors: places in the log that only the same question accepts, in the form of the TypeScript half."""

from __future__ import annotations

import base64
import binascii
import datetime
import hashlib
import re
from typing import NamedTuple

from ..errors import AuditError
from ..moments import microseconds_at, moment_at

#: Part of every cursor.
_VERSION = 1

_FIRST = microseconds_at(datetime.datetime(1, 1, 1, tzinfo=datetime.timezone.utc))
_LAST = microseconds_at(datetime.datetime(9999, 12, 31, 23, 59, 59, tzinfo=datetime.timezone.utc))


class Position(NamedTuple):
    """A place in the order (timestamp, seq), such as that of a page's last entry. Microseconds since 1970."""

    microseconds: int
    seq: int

    def timestamp(self) -> str:
        """Give the time as PostgreSQL reads it, with all six digits."""
        return moment_at(self.microseconds).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def encode_cursor(position: Position, question: str) -> str:
    """Give a position as an opaque text that only the same question accepts."""
    place = f"{_VERSION}.{position.microseconds}.{position.seq}"
    return _base64url(f"{place}.{_signature(place, question)}".encode())


def decode_cursor(cursor: str, question: str) -> Position:
    """Read a cursor.

    Raises:
        AuditError: `AUDIT_INVALID_CURSOR` when it was changed, or belongs to another question
    """
    try:
        decoded = base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)).decode()
    except (UnicodeError, binascii.Error, ValueError):
        decoded = ""
    match = re.match(r"\d+\.(-?\d{1,19})\.(-?\d{1,19})\.", decoded, re.ASCII)
    if match:
        position = Position(int(match[1]), int(match[2]))
        is_in_table = _FIRST <= position.microseconds <= _LAST and -(2**63) <= position.seq < 2**63
        # encoding it again also detects what the decoder overlooks: other alphabets, padding, stray characters
        if is_in_table and encode_cursor(position, question) == cursor:
            return position
    raise AuditError(
        "AUDIT_INVALID_CURSOR",
        "The cursor was changed, or comes from another helper or filter, and would skip or repeat entries here. Pass "
        "next_cursor of the previous page unchanged, with exactly the same filter (the same dates too: compute them once); the "
        "limit may differ.",
    )


def _signature(place: str, question: str) -> str:
    return _base64url(hashlib.sha256(f"{place}\n{question}".encode()).digest())[:22]


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
