"""Runs steps on a driver."""

from __future__ import annotations

from .drivers.driver import AsyncDriver, SyncDriver
from .statements import Result, Steps


async def run_async(driver: AsyncDriver, steps: Steps[Result]) -> Result:
    """Run steps and await each answer."""
    try:
        statement = next(steps)
        while True:
            try:
                rows = await driver.query(statement)
            except Exception as error:
                statement = steps.throw(error)
            else:
                statement = steps.send(rows)
    except StopIteration as end:
        result: Result = end.value
        return result


def run(driver: SyncDriver, steps: Steps[Result]) -> Result:
    """Run steps and wait for each answer."""
    try:
        statement = next(steps)
        while True:
            try:
                rows = driver.query(statement)
            except Exception as error:
                statement = steps.throw(error)
            else:
                statement = steps.send(rows)
    except StopIteration as end:
        result: Result = end.value
        return result
