"""Node logic written once, run by sync and async graphs.

A node is a generator: it yields what has to be done outside (an effect) and is sent the result. `drive` performs the
effects at once, `adrive` awaits them; the algorithm in the generator knows neither.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Effect(Protocol):
    """Something to be done outside a node's logic."""

    def run(self) -> Any: ...
    async def arun(self) -> Any: ...


Steps = Generator[Effect, Any, T]
"""A node's logic: yields effects, is sent their results, returns a `T`."""


@dataclass(frozen=True)
class Work:
    """Work that blocks: done in the calling thread, or in a helper thread of an event loop."""

    function: Callable[[], Any]

    def run(self) -> Any:
        return self.function()

    async def arun(self) -> Any:
        return await asyncio.to_thread(self.function)


def drive(steps: Steps[T]) -> T:
    """Runs a node's logic to its end, performing each effect in this thread."""
    try:
        effect = next(steps)
        while True:
            try:
                result = effect.run()
            except Exception as error:
                effect = steps.throw(error)
            else:
                effect = steps.send(result)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    finally:
        steps.close()  # cancelled, it would end when somebody collects it


async def adrive(steps: Steps[T]) -> T:
    """Runs a node's logic to its end, awaiting each effect."""
    try:
        effect = next(steps)
        while True:
            try:
                result = await effect.arun()
            except Exception as error:
                effect = steps.throw(error)
            else:
                effect = steps.send(result)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    finally:
        steps.close()  # cancelled, it would end when somebody collects it
