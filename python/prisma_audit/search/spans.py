"""A log of months is read span by span, from the newest on, as the TypeScript half reads it."""

from __future__ import annotations

import json
import math
import time
from itertools import pairwise
from typing import NamedTuple

from ..options import quoted_table
from ..statements import Parameters, Statement, Steps
from .conditions import Conditions
from .cursor import Position
from .filter import microseconds_of

#: How many of the newest partitions the first span has, and the first two: a page is mostly filled by the first span. The third
#: has all others.
_SIZES = (2, 14)
#: Seconds for which the partitions are taken to be as they were. Entries dated ahead may be missed for as long.
_FRESH = 60


class Partition(NamedTuple):
    """A partition of the log. Bounds are microseconds since 1970, or infinite; a default partition has neither."""

    #: inclusive
    lower: float
    #: exclusive
    upper: float
    #: whether its time has come, or will within the hour
    has_begun: bool
    #: whether it has never had an entry
    is_empty: bool


class SpannedLog:
    """The table of a log, and what is known of its partitions.

    A statement on a span is planned for the partitions of that span only: with all of them, planning takes longer than
    reading.
    """

    def __init__(self, table: str) -> None:
        self.table = table
        #: in order of time; none where the log is one table
        self._partitions: list[Partition] = []
        self._read_at = -math.inf

    def spans(self, conditions: Conditions, before: Position | None) -> Steps[list[str]]:
        """Give the parts of the log that may have something of the conditions' time, to select from: newest first.

        A log that is not partitioned, or has few partitions of that time, is one.
        """
        now = time.monotonic()
        if now - self._read_at > _FRESH:
            [[found]] = yield _partitions_query(self.table)
            self._partitions = [
                Partition(-math.inf if lower is None else lower, math.inf if upper is None else upper, *rest)
                for lower, upper, *rest in json.loads(found)
            ]
            self._read_at = now
        start = -math.inf if conditions.start is None else microseconds_of(conditions.start)
        end = math.inf if conditions.end is None else microseconds_of(conditions.end)
        edges = _edges(self._partitions, start, end if before is None else min(end, before.microseconds))
        return [_span_sql(quoted_table(self.table), lower, upper) for upper, lower in pairwise(edges)]


def _edges(partitions: list[Partition], start: float, end: float) -> list[float]:
    """Give the moments where spans meet, from the newest to the oldest; infinite where nothing lies beyond."""
    within = [one for one in partitions if start < one.upper and one.lower <= end]
    used = [one for one in within if one.has_begun or not one.is_empty]
    if not used:
        return [math.inf, -math.inf]
    # what is dated ahead belongs to the first span
    counted = [one for one in used if one.has_begun] or used
    begins = {counted[-size].lower for size in _SIZES if size < len(counted)} - {-math.inf}
    return [
        # a default partition also has what is dated after all others
        math.inf if used[-1] is partitions[-1] else max(one.upper for one in used),
        *sorted(begins, reverse=True),
        -math.inf if used[0] is partitions[0] else used[0].lower,
    ]


def _span_sql(log: str, lower: float, upper: float) -> str:
    """Give a span, to select from. Its moments are no parameters, since planning leaves out partitions by constants only."""
    bounds = [
        f'"timestamp" {sign} to_timestamp({moment / 1_000_000})'
        for sign, moment in ((">=", lower), ("<", upper))
        if math.isfinite(moment)
    ]
    return f"(SELECT * FROM {log} WHERE {' AND '.join(bounds)})" if bounds else log


def _partitions_query(table: str) -> Statement:
    """Ask for the partitions in order of time, by what every role may read."""
    parameters = Parameters()
    log = f"CAST({parameters.add(quoted_table(table), 'text')} AS regclass)"
    sql = f"""SELECT CAST(coalesce(json_agg(json_build_array(
  {_microseconds_sql("lower")}, {_microseconds_sql("upper")},
  coalesce(lower <= clock_timestamp() + interval '1 hour', true), pg_relation_size(oid) = 0
) ORDER BY lower NULLS FIRST), '[]') AS text)
FROM (
  SELECT oid, {_bound_sql("FROM")} AS lower, {_bound_sql("TO")} AS upper FROM (
    SELECT c.oid, pg_get_expr(c.relpartbound, c.oid) AS bound
    FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid WHERE i.inhparent = {log} AND c.relispartition
  ) AS partitions
) AS partitions"""
    return Statement(sql, parameters.values)


def _bound_sql(side: str) -> str:
    """Give a bound in FOR VALUES FROM ('2026-11-01 00:00:00+00') TO (MAXVALUE); NULL where there is none."""
    # its text and the cast use the same settings of the session
    return rf"CAST(substring(bound FROM '{side} \(''(?!-?infinity)([^'']*)''\)') AS timestamptz)"


def _microseconds_sql(moment: str) -> str:
    return f"CAST(extract(epoch FROM {moment}) * 1000000 AS int8)"
