"""Which failures of a model are worth another try, and how long to wait for it."""

from __future__ import annotations

import random
from collections.abc import Iterator

from langchain_core.exceptions import ModelError
from langgraph.types import RetryPolicy

MOST_RETRY_AFTER = 60.0
"""Seconds that a provider may tell us to wait; where it wants more, the call fails at once."""


def is_transient(failure: Exception) -> bool:
    """Rate limits, time-outs, lost connections and failures of the server. LangChain's own word counts first."""
    if isinstance(failure, ModelError):
        return failure.is_retryable
    return any(map(_may_pass, _causes_of(failure)))


POLICY = RetryPolicy(initial_interval=0.5, backoff_factor=2.0, max_interval=30.0, max_attempts=4, retry_on=is_transient)
"""LangGraph's policy, held around a single call of a model: a node that is tried again would run its child again."""


def pauses() -> Iterator[float]:
    """Seconds to wait after the first failed try, the second, …: one fewer than there are tries."""
    interval = POLICY.initial_interval
    for _ in range(POLICY.max_attempts - 1):
        yield interval * random.uniform(0.5, 1.5)
        interval = min(interval * POLICY.backoff_factor, POLICY.max_interval)


def retry_after(failure: Exception) -> float:
    """Seconds that the provider asks to wait; 0 where it does not say, or says it as a date."""
    return max(map(_requested_wait, _causes_of(failure)))


_LOST = {"httpx.TransportError", "httpx2.TransportError", "aiohttp.ClientConnectionError"}
"""Lost connections and time-outs of the packages that providers' clients are built upon."""


def _causes_of(failure: Exception) -> list[BaseException]:
    """The failure, and what its package has wrapped: that may know more."""
    return [failure, *([failure.__cause__] if failure.__cause__ else [])]


def _may_pass(failure: BaseException) -> bool:
    if isinstance(failure, ConnectionError | TimeoutError):
        return True
    if any(f"{kind.__module__.partition('.')[0]}.{kind.__name__}" in _LOST for kind in type(failure).__mro__):
        return True
    status = _status(failure)
    return status in (408, 429) or (status is not None and 500 <= status < 600)


def _requested_wait(failure: BaseException) -> float:
    headers = getattr(getattr(failure, "response", None), "headers", None) or {}
    try:
        return max(0.0, float(headers.get("retry-after", 0)))
    except (TypeError, ValueError):
        return 0.0


def _status(failure: BaseException) -> int | None:
    for source in (failure, getattr(failure, "response", None)):
        status = getattr(source, "status_code", None)
        if isinstance(status, int):
            return status
    return None
