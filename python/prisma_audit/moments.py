"""Moments as the log counts them: in microseconds since 1970, in UTC."""

from __future__ import annotations

import datetime

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def moment_at(microseconds: int) -> datetime.datetime:
    """Give the moment that is so many microseconds after the beginning of 1970."""
    return _EPOCH + datetime.timedelta(microseconds=microseconds)


def microseconds_at(moment: datetime.datetime) -> int:
    """Give how many microseconds after the beginning of 1970 a moment with a time zone is."""
    return (moment - _EPOCH) // datetime.timedelta(microseconds=1)
