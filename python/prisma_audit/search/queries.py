"""The statements that find entries, newest first."""

from __future__ import annotations

import time

from ..entry import COLUMNS
from ..statements import Parameters, Statement
from .conditions import Conditions, is_pattern
from .cursor import Position
from .filter import microseconds_of
from .sql import Naming, Stretch, action_sql, can_be_read, columns_sql, every, time_sql, where_sql

#: By the columns of the table: without the alias it would be the text in the list of what is selected.
_NEWEST_FIRST = 'ORDER BY l."timestamp" DESC, l.seq DESC'


def plain_query(log: str, conditions: Conditions, stretch: Stretch, count: int) -> Statement:
    """Find the newest entries of a stretch; the planner chooses how.

    Args:
        log: what to select the entries from, in SQL: the log's table, or a span of it
        conditions: which entries
        stretch: in which part of the log
        count: at most how many
    """
    parameters = Parameters()
    limit = parameters.add(count, "int8")
    if not can_be_read(conditions):
        return Statement(_newest(COLUMNS, log, conditions, stretch, limit, parameters), parameters.values)
    # each of the two by its own index: one condition for both would have to sort everything that happened to the record
    own = _newest("*", log, conditions, stretch, limit, parameters, "own")
    read = _newest("*", log, conditions, stretch, limit, parameters, "read")
    sql = f"SELECT {COLUMNS} FROM (({own}) UNION ALL ({read})) AS l {_NEWEST_FIRST} LIMIT {limit}"
    return Statement(sql, parameters.values)


def window_query(log: str, conditions: Conditions, stretch: Stretch, count: int) -> Statement:
    """Find the same among many sorted entries: columns are computed for the results only."""
    parameters = Parameters()
    limit = parameters.add(count, "int8")
    found = _newest("*", log, conditions, stretch, limit, parameters)
    return Statement(f"SELECT {COLUMNS} FROM ({found}) AS l {_NEWEST_FIRST}", parameters.values)


def _newest(
    columns: str,
    log: str,
    conditions: Conditions,
    stretch: Stretch,
    limit: str,
    parameters: Parameters,
    naming: Naming = "either",
) -> str:
    where = where_sql(conditions, stretch, parameters, naming)
    return f"SELECT {columns} FROM {log} AS l WHERE {where} {_NEWEST_FIRST} LIMIT {limit}"


#: How many pages of entries are sampled to estimate how far back one page reaches: more are more exact.
_SAMPLES = 4


def merged_query(log: str, conditions: Conditions, stretch: Stretch, count: int) -> Statement:
    """Find them by the index on actions: the newest entries of each action, merged.

    A few of the newest entries of each show how far back the page can reach, so no action returns more entries than belong
    on it.
    """
    parameters = Parameters()
    wanted = _wanted_actions(log, conditions, parameters)
    match = every(
        [
            "l.action = w.name",
            *columns_sql(conditions, parameters),
            *time_sql(conditions, stretch, parameters),
        ]
    )
    limit = parameters.add(count, "int8")
    sql = f"""WITH RECURSIVE {wanted}, reach AS (
  SELECT n."timestamp" FROM wanted AS w CROSS JOIN LATERAL (
    SELECT "timestamp" FROM {log} AS l WHERE {match}
    ORDER BY "timestamp" DESC LIMIT (SELECT {_SAMPLES} * ({limit} / greatest(count(*), 1) + 1) FROM wanted)
  ) AS n
  ORDER BY n."timestamp" DESC OFFSET {limit} - 1 LIMIT 1
)
SELECT {COLUMNS} FROM wanted AS w CROSS JOIN LATERAL (
  SELECT l.* FROM {log} AS l
  WHERE {match} AND "timestamp" >= coalesce((SELECT "timestamp" FROM reach), '-infinity')
  {_NEWEST_FIRST} LIMIT {limit}
) AS l
{_NEWEST_FIRST} LIMIT {limit}"""
    return Statement(sql, parameters.values)


def actions_query(log: str, conditions: Conditions) -> Statement:
    """Find the actions of the log that patterns match, since an index serves only those."""
    parameters = Parameters()
    wanted = _wanted_actions(log, conditions, parameters)
    return Statement(f"WITH RECURSIVE {wanted} SELECT CAST(name AS text) FROM wanted", parameters.values)


def _wanted_actions(log: str, conditions: Conditions, parameters: Parameters) -> str:
    """CTEs, the last of which is `wanted (name)`: the actions of the conditions that the log has."""
    actions = conditions.actions
    if actions is not None and not any(map(is_pattern, actions)):
        return f"wanted (name) AS MATERIALIZED (SELECT unnest({parameters.add(actions, 'text[]')}))"
    action = action_sql(conditions, parameters)
    matching = every(["action IS NOT NULL", *([action] if action else [])])
    return f"""existing (action) AS (
  (SELECT action FROM {log} AS l ORDER BY action LIMIT 1)
  UNION ALL
  SELECT (SELECT l.action FROM {log} AS l WHERE l.action > e.action ORDER BY l.action LIMIT 1)
  FROM existing AS e WHERE e.action IS NOT NULL
), wanted (name) AS MATERIALIZED (SELECT action FROM existing WHERE {matching})"""


def window_start_query(log: str, conditions: Conditions, stretch: Stretch, size: int) -> Statement:
    """Find where a window begins that has `size` candidates and ends where the stretch does; no row when there are fewer."""
    parameters = Parameters()
    limit = parameters.add(size, "int8")
    candidates = _candidates(log, conditions, stretch, limit, parameters)
    sql = f"""SELECT CAST(CAST(extract(epoch FROM min("timestamp")) * 1000000 AS int8) AS text)
FROM ({candidates}) AS candidates HAVING count(*) = {limit}"""
    return Statement(sql, parameters.values)


def _candidates(
    log: str, conditions: Conditions, stretch: Stretch, limit: str, parameters: Parameters
) -> str:
    newest = f'ORDER BY "timestamp" DESC LIMIT {limit}'
    if conditions.actions and not conditions.is_one_action():
        # once for each action: one scan over several would have to sort them all
        match = every(["l.action = w.name", *time_sql(conditions, stretch, parameters)])
        names = parameters.add(conditions.actions, "text[]")
        return f"""SELECT l."timestamp" FROM unnest({names}) AS w (name)
  CROSS JOIN LATERAL (SELECT "timestamp" FROM {log} AS l WHERE {match} {newest}) AS l ORDER BY l."timestamp" DESC LIMIT {limit}"""
    match = where_sql(conditions, stretch, parameters)
    if not conditions.is_all_of(()):
        return f'SELECT "timestamp" FROM {log} AS l WHERE {match} {newest}'
    range = every([match, *_id_range(conditions, stretch, parameters)])
    return f'SELECT "timestamp" FROM {log} AS l WHERE {range} ORDER BY id DESC LIMIT {limit}'


_HOUR = 3_600_000


def _id_range(conditions: Conditions, stretch: Stretch, parameters: Parameters) -> list[str]:
    """A range of the primary key, since a UUIDv7 begins with the time. Clocks that differ only make a window larger."""
    if stretch.before is not None:
        end = stretch.before.microseconds // 1_000
    elif conditions.end is None:
        end = time.time_ns() // 1_000_000 + _HOUR
    else:
        end = microseconds_of(conditions.end) // 1_000
    found = [f"id < {parameters.add(_first_id(end + 1), 'uuid')}"]
    if conditions.start is not None:
        found.append(
            f"id >= {parameters.add(_first_id(microseconds_of(conditions.start) // 1_000 - _HOUR), 'uuid')}"
        )
    return found


def _first_id(milliseconds: int) -> str:
    """Not greater than any UUIDv7 made in this millisecond or later."""
    digits = f"{max(milliseconds, 0):012x}"
    return f"{digits[:8]}-{digits[8:]}-0000-0000-000000000000"


#: A resource type with at most this many entries is read whole.
_FEW = 5_000


def few_of_type_query(log: str, resource_type: str) -> Statement:
    """Ask whether a resource type has few entries."""
    parameters = Parameters()
    where = where_sql(Conditions(resource_type=resource_type), Stretch(), parameters)
    return Statement(
        f"SELECT CAST(count(*) <= {_FEW} AS text) FROM (SELECT FROM {log} AS l WHERE {where} LIMIT {_FEW + 1}) AS few",
        parameters.values,
    )


def start_of(row_text: str) -> Position:
    """Give the place before all entries of a moment."""
    return Position(int(row_text), -1)
