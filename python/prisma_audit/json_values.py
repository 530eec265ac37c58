"""Python values as JSON, by the rules of the log (docs/entries.md, "Values")."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import decimal
import enum
import ipaddress
import json
import math
import pathlib
import uuid
from collections import deque
from collections.abc import Callable, Iterable, KeysView, Mapping, Sequence, Set, ValuesView
from functools import partial
from typing import Union

from .secret_names import REDACTED
from .texts import is_storable

Json = Union[None, bool, int, float, str, list["Json"], dict[str, "Json"]]
IsRedacted = Callable[[Sequence[str]], bool]

#: Far deeper than anything people read, and far from where PostgreSQL's parser runs out of stack.
DEEPEST = 100

#: JavaScript's integers are exact up to here: a larger one would be rounded by whoever reads it there.
LARGEST_INTEGER = 2**53 - 1


class NotJsonError(Exception):
    """Why the log can't hold a value: `details.call is a function, which JSON can't hold`."""


def to_json(value: object, name: str, is_redacted: IsRedacted = lambda path: False) -> Json:
    """Give a value as JSON.

    Numbers are numbers, but integers beyond 2^53 and `Decimal` are texts, exactly; NaN and infinities are texts too. A
    `datetime` is ISO 8601 in UTC (a naive one is taken to be in UTC), bytes are base64, an `Enum` is its value, a
    dataclass and a Pydantic model an object, a set an array in a fixed order, an exception its name and message.

    Args:
        value: anything
        name: the value's name in an error, `details`
        is_redacted: whether the value at a path of keys must be hidden

    Raises:
        NotJsonError: for what JSON or PostgreSQL can't hold: functions, cycles, NUL characters, more than 100 levels
    """
    return _Conversion(name, is_redacted).run(value)


def to_text(value: Json) -> str:
    """Give JSON as text, as `JSON.stringify` writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


class _Conversion:
    def __init__(self, name: str, is_redacted: IsRedacted) -> None:
        self._name = name
        self._is_redacted = is_redacted
        self._path: list[str] = []
        self._ancestors: set[int] = set()

    def run(self, value: object) -> Json:
        try:
            return self._convert(value)
        except (NotJsonError, RecursionError):
            raise
        except Exception as error:  # a property or a method of the application
            raise self._refusal("can't be read") from error

    def _convert(self, value: object) -> Json:
        if isinstance(value, enum.Enum):
            return self._convert(value.value)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self._text(str(value))
        if isinstance(value, int):
            return int(value) if abs(value) <= LARGEST_INTEGER else str(int(value))
        if isinstance(value, float):
            return number(float(value))
        text = scalar_text(value)
        return self._container(value) if text is None else self._text(text)

    def _container(self, value: object) -> Json:
        if id(value) in self._ancestors:
            raise self._refusal("refers back to an object that contains it")
        if len(self._ancestors) == DEEPEST:
            raise self._refusal(f"has more than {DEEPEST} levels")
        self._ancestors.add(id(value))
        parts = self._parts(value)
        self._ancestors.discard(id(value))
        return parts

    def _parts(self, value: object) -> Json:
        if isinstance(value, Mapping):
            return self._mapping(value)
        if isinstance(value, (Sequence, deque, KeysView, ValuesView)):
            return self._items(value)
        if isinstance(value, Set):
            return sorted(self._items(value), key=to_text)
        if isinstance(value, BaseException):
            return self._fields({"name": type(value).__name__, "message": str(value)})
        fields = _fields_of(value)
        if fields is None:
            raise self._refusal(f"is a {type(value).__name__}, which JSON can't hold")
        return self._fields(fields)

    def _mapping(self, mapping: Mapping[object, object]) -> Json:
        named = {self._key(key): item for key, item in mapping.items()}
        if len(named) < len(mapping):
            raise self._refusal(f"is a {type(mapping).__name__} with two keys that are the same in JSON")
        return self._fields(named)

    def _key(self, key: object) -> str:
        if isinstance(key, enum.Enum):
            return self._key(key.value)
        if isinstance(key, bool):
            return "true" if key else "false"
        if isinstance(key, float):
            key = number(float(key))
        text = str(key) if isinstance(key, (str, int, float)) else scalar_text(key)
        if text is None:
            raise self._refusal(f"is a dict with a key that is a {type(key).__name__}")
        return text

    def _items(self, items: Iterable[object]) -> list[Json]:
        return [self._at(str(index), partial(self._convert, item)) for index, item in enumerate(items)]

    def _fields(self, fields: Mapping[str, object]) -> dict[str, Json]:
        return {key: self._at(key, partial(self._field, key, item)) for key, item in fields.items()}

    def _field(self, key: str, item: object) -> Json:
        if not is_storable(key):
            raise self._refusal("has a NUL character or a lone surrogate in its name")
        if item is not None and self._is_redacted(self._path):
            return REDACTED
        return self._convert(item)

    def _text(self, text: str) -> str:
        if is_storable(text):
            return text
        raise self._refusal("holds a NUL character or a lone surrogate")

    def _at(self, key: str, work: Callable[[], Json]) -> Json:
        self._path.append(key)
        result = work()
        self._path.pop()
        return result

    def _refusal(self, problem: str) -> NotJsonError:
        return NotJsonError(f"{'.'.join([self._name, *self._path])} {problem}")


def number(value: float) -> Json:
    """Give a number as JavaScript writes it: 250.0 is 250, and there is no -0."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return int(value) if value.is_integer() and abs(value) <= LARGEST_INTEGER else value


def scalar_text(value: object) -> str | None:
    """Give the text of a value that the log has as a text of its own; None for any other."""
    if isinstance(value, datetime.datetime):
        return instant(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, datetime.time):
        return _time(value)
    if isinstance(value, datetime.timedelta):
        return _interval(value)
    if isinstance(value, decimal.Decimal):
        return _decimal(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, (uuid.UUID, pathlib.PurePath, ipaddress.IPv4Address, ipaddress.IPv6Address)):
        return str(value)
    return None


def instant(value: datetime.datetime) -> str:
    """ISO 8601 in UTC with three digits of a second, or six where needed. A naive time is taken to be in UTC."""
    utc = value if value.tzinfo is None else value.astimezone(datetime.timezone.utc)
    digits = "microseconds" if utc.microsecond % 1_000 else "milliseconds"
    return f"{utc.replace(tzinfo=None).isoformat(timespec=digits)}Z"


def _time(value: datetime.time) -> str:
    """As PostgreSQL writes it: 12:30:00, 12:30:00.5, 12:30:00+01."""
    text = value.replace(tzinfo=None).isoformat()
    text = text.rstrip("0") if "." in text else text
    offset = value.strftime("%z")
    return f"{text}{offset[:3]}{'' if offset[3:] in ('', '00') else ':' + offset[3:]}"


def _interval(value: datetime.timedelta) -> str:
    """As PostgreSQL writes it: 1 day 02:03:04.5."""
    sign, size = ("-", -value) if value < datetime.timedelta() else ("", value)
    seconds = f"{size.seconds % 60:02}.{size.microseconds:06}".rstrip("0").rstrip(".")
    time = f"{sign}{size.seconds // 3600:02}:{size.seconds // 60 % 60:02}:{seconds.zfill(2)}"
    days = f"{sign}{size.days} day{'' if size.days == 1 and not sign else 's'}" if size.days else ""
    return " ".join(
        part for part in (days, time if size.seconds or size.microseconds or not days else "") if part
    )


def _decimal(value: decimal.Decimal) -> str:
    if value.is_nan():
        return "NaN"
    return f"{'-' if value < 0 else ''}Infinity" if value.is_infinite() else format(value, "f")


def _fields_of(value: object) -> Mapping[str, object] | None:
    """Give the fields of a dataclass or of a Pydantic model, 1 or 2."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, type):
        return None
    for names in ("model_fields", "__fields__"):
        fields = getattr(type(value), names, None)
        if isinstance(fields, Mapping):
            return {name: getattr(value, name) for name in fields}
    return None
