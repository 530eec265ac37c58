"""Ids of entries."""

from __future__ import annotations

import os
import time
import uuid


def new_id() -> str:
    """Make a UUID of version 7 (RFC 9562, 5.7): the time in milliseconds, the rest random."""
    value = int.from_bytes(os.urandom(16), "big") & ((1 << 80) - 1)
    value |= (time.time_ns() // 1_000_000) << 80
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))
