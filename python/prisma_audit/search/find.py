"""Finds the newest entries that meet the conditions, in order.

A log of months is read span by span, from the newest on, until there are enough.

If an index leads to all of them, one statement finds them. Otherwise the search goes through windows of time, from new to
old. A window ends at the moment when an index has returned enough candidates, so sorting by time costs no more than the
window.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

from ..statements import Row, Steps
from .conditions import Conditions, is_pattern
from .cursor import Position
from .queries import (
    actions_query,
    few_of_type_query,
    merged_query,
    plain_query,
    start_of,
    window_query,
    window_start_query,
)
from .spans import SpannedLog
from .sql import Stretch

#: Entries in the first and in the largest window of a search that has to check each.
_FIRST_WINDOW, _LARGEST_WINDOW = 4_000, 128_000


def find_rows(
    log: SpannedLog, conditions: Conditions, before: Position | None, count: int
) -> Steps[list[Row]]:
    """Find at most `count` rows before a place, or from the newest on."""
    rows: list[Row] = []
    for span in (yield from log.spans(conditions, before)):
        rows += yield from _find_within(span, conditions, before, count - len(rows))
        if len(rows) == count:
            break
    return rows


def _find_within(log: str, conditions: Conditions, before: Position | None, count: int) -> Steps[list[Row]]:
    """Find the newest rows of one span."""
    way = _choose_way(conditions)
    if way != "windows":
        query = merged_query if way == "merged" else plain_query
        return list((yield query(log, conditions, Stretch(before), count)))
    searched = yield from _with_literal_actions(log, conditions)
    if searched.actions is not None and not searched.actions:
        return []
    leading = yield from _leading_or_type(log, searched)
    rows: list[Row] = []
    stretch = Stretch(before)
    size = count if searched.is_all_of(leading) else _FIRST_WINDOW
    while True:
        start = yield window_start_query(log, searched.only([*leading, "start", "end"]), stretch, size)
        place = start_of(start[0][0]) if start else None
        window = dataclasses.replace(stretch, start=None if place is None else place.timestamp())
        rows += yield window_query(log, searched, window, count - len(rows))
        if place is None or len(rows) == count:
            return rows
        stretch = Stretch(place)
        size = min(size * 4, _LARGEST_WINDOW)


def _choose_way(conditions: Conditions) -> Literal["plain", "merged", "windows"]:
    """Merging reads a few entries of every action, windows read every entry of a time span."""
    # a request has too few entries to look for back in time
    if conditions.request_id is not None or conditions.transaction_id is not None:
        return "plain"
    leading = conditions.leading()
    if not leading:
        return "merged" if conditions.is_all_of(leading) else "windows"
    return "merged" if "actions" in leading and not conditions.is_one_action() else "plain"


def _with_literal_actions(log: str, conditions: Conditions) -> Steps[Conditions]:
    actions = conditions.actions
    if actions is None or not any(map(is_pattern, actions)):
        return conditions
    if "*" in actions:
        return dataclasses.replace(conditions, actions=None)
    rows = yield actions_query(log, conditions)
    return dataclasses.replace(conditions, actions=[row[0] for row in rows])


def _leading_or_type(log: str, conditions: Conditions) -> Steps[tuple[str, ...]]:
    """No index has a resource type's entries in order of time. A few entries are sorted quickly."""
    leading = conditions.leading()
    if leading or conditions.resource_type is None:
        return leading
    rows = yield few_of_type_query(log, conditions.resource_type)
    return ("resource_type",) if rows[0][0] == "true" else ()
