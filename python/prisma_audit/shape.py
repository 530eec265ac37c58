"""Checks of what a caller gives, with the messages that the TypeScript half has from zod."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Collection, Mapping

from .texts import is_storable

STORABLE = "must not contain NUL characters or lone surrogates"


class Problems:
    """What is wrong with a value, in the order of its fields."""

    def __init__(self) -> None:
        self._found: list[tuple[int, str]] = []
        #: whether a value is not even of its type, so that checks of the whole make no sense
        self.has_wrong_type = False

    def __bool__(self) -> bool:
        return bool(self._found)

    def __str__(self) -> str:
        return "\n".join(text for _, text in sorted(self._found, key=lambda problem: problem[0]))

    def add(self, message: str, path: str = "", *, depth: int | None = None) -> None:
        """Note a problem at a path; those of the whole come first, then those of its fields, then theirs."""
        at = f"\n  → at {path}" if path else ""
        self._found.append(
            (len(path.split(".")) if path and depth is None else depth or 0, f"✖ {message}{at}")
        )

    def text(
        self, value: object, path: str, *, least: int = 0, most: int | None = None, depth: int | None = None
    ) -> None:
        """Check a text that PostgreSQL can hold."""
        if not isinstance(value, str):
            self.wrong_type("string", value, path, depth=depth)
            return
        if not is_storable(value):
            self.add(STORABLE, path, depth=depth)
        self.length(value, path, least=least, most=most, depth=depth)

    def length(
        self, value: str, path: str, *, least: int = 0, most: int | None = None, depth: int | None = None
    ) -> None:
        """Check the length of a text."""
        length = len(value)
        if length < least:
            self.add(f"Too small: expected string to have >={least} characters", path, depth=depth)
        if most is not None and length > most:
            self.add(f"Too big: expected string to have <={most} characters", path, depth=depth)

    def choice(self, value: object, choices: Collection[str], path: str, *, depth: int | None = None) -> None:
        """Check that a value is one of a few words."""
        if not isinstance(value, str) or value not in choices:
            words = "|".join(json.dumps(choice) for choice in choices)
            self.has_wrong_type = True
            self.add(f"Invalid option: expected one of {words}", path, depth=depth)

    def address(self, value: object, path: str) -> None:
        """Check an IPv4 or IPv6 address, without a zone."""
        self.text(value, path)
        if isinstance(value, str) and not is_address(value):
            self.add("must be an IPv4 or IPv6 address", path)

    def wrong_type(self, expected: str, value: object, path: str, *, depth: int | None = None) -> None:
        """Note a value that is not of its type."""
        self.has_wrong_type = True
        self.add(f"Invalid input: expected {expected}, received {type_name(value)}", path, depth=depth)

    def unknown(self, keys: Collection[str], path: str = "") -> None:
        """Note keys that a value must not have."""
        if keys:
            self.has_wrong_type = True
            names = ", ".join(json.dumps(key, ensure_ascii=False) for key in keys)
            self.add(f"Unrecognized key{'' if len(keys) == 1 else 's'}: {names}", path)


def is_address(text: str) -> bool:
    """Whether a text is an IPv4 or IPv6 address that the log's column takes."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def type_name(value: object) -> str:
    """Name a value's type as the TypeScript half does, so that messages are the same."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "NaN" if value != value else "number"
    if isinstance(value, str):
        return "string"
    if isinstance(value, (list, tuple)):
        return "array"
    return "object" if isinstance(value, Mapping) else type(value).__name__
