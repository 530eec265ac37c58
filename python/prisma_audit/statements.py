"""Statements, and work that needs their answers, whether a driver waits for them or awaits them.

What asks the database is written once, as a generator: it yields a `Statement`, gets its rows, and returns a result.
`AuditLog` runs it with `await`, `SyncAuditLog` without.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple, TypeVar, Union

Value = Union[str, int, list[str]]
Row = Sequence[Any]
Result = TypeVar("Result")


class Statement(NamedTuple):
    """SQL with the placeholders $1, $2, …, each in a CAST, and their values."""

    sql: str
    values: Sequence[Value]

    def rendered(self, placeholder: Callable[[int], str], escape: Callable[[str], str]) -> str:
        """Give the SQL for a driver with other placeholders.

        Args:
            placeholder: what stands for a value, by its number from 1 on
            escape: protects everything else
        """
        parts = re.split(r"\$(\d+)", self.sql)
        return "".join(
            placeholder(int(part)) if index % 2 else escape(part) for index, part in enumerate(parts)
        )

    def named(self) -> dict[str, Value]:
        """Give the values by names, for drivers that take names: p1, p2, …."""
        return {f"p{index}": value for index, value in enumerate(self.values, 1)}


Steps = Generator[Statement, Sequence[Row], Result]


class Parameters:
    """Collects the values of a statement and gives their placeholders."""

    def __init__(self) -> None:
        self.values: list[Value] = []

    def add(self, value: Value, type: str) -> str:
        """Add a value.

        Args:
            value: a text for every type but int8 and text[]
            type: its type in PostgreSQL: "text", "timestamptz", "text[]"

        """
        self.values.append(value)
        given = type if type in ("int8", "text[]") else "text"
        placed = f"CAST(${len(self.values)} AS {given})"
        return placed if given == type else f"CAST({placed} AS {type})"
