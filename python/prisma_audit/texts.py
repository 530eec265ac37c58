"""What PostgreSQL's text can hold."""

from __future__ import annotations


def is_storable(text: str) -> bool:
    """Whether PostgreSQL can hold a text as it is: no character with code zero, no half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def storable(text: str) -> str:
    """Give the text as PostgreSQL can hold it."""
    return text.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def utf16_order(text: str) -> bytes:
    """Sort key for the order in which JavaScript sorts texts."""
    return text.encode("utf-16-be", "surrogatepass")
