"""The namespace that a run is stored under, known before anything is read of it.

LangGraph numbers the graphs that a task calls as they begin: the second is stored under `|1`, the third under `|2`. It
goes on counting where the task's node is tried again, so the first call of the second try would have nothing of the
first try's: neither its text, nor its answers, nor what it has spent.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import Any
from weakref import WeakKeyDictionary

from langchain_core.runnables import RunnableConfig

from langgraph_rlm.langgraph_internals import (
    CONF,
    CONFIG_KEY_CHECKPOINT_NS,
    CONFIG_KEY_READ,
    CONFIG_KEY_RUNTIME,
    CONFIG_KEY_SCRATCHPAD,
    NS_SEP,
    PregelScratchpad,
)


@dataclass
class Calls:
    """The calls of a graph by one task: their numbers, and how many of them the latest try of its node has made."""

    numbers: list[int] = field(default_factory=list)
    attempt: int = 1
    made: int = 0


_lock = threading.Lock()
_calls: WeakKeyDictionary[object, dict[str, Calls]] = WeakKeyDictionary()
"""Of each task, known by how it reads its state, the calls of each graph, by name."""


def settled(config: RunnableConfig, graph: str) -> RunnableConfig:
    """The config of a call of the graph of that name, with the namespace in which LangGraph will run it.

    The calls of a node that is tried again have the namespaces of the try before, one by one.
    """
    configurable = config[CONF]
    scratchpad = configurable.get(CONFIG_KEY_SCRATCHPAD)
    if not isinstance(scratchpad, PregelScratchpad):
        return config
    number = _number(configurable, scratchpad, graph)
    namespace = configurable.get(CONFIG_KEY_CHECKPOINT_NS, "")
    own = {
        CONFIG_KEY_CHECKPOINT_NS: f"{namespace}{NS_SEP}{number}" if number else namespace,
        CONFIG_KEY_SCRATCHPAD: replace(scratchpad, subgraph_counter=lambda: 0),  # it is counted already
    }
    return {**config, CONF: {**configurable, **own}}


def _number(configurable: dict[str, Any], scratchpad: PregelScratchpad, graph: str) -> int:
    task, attempt = configurable[CONFIG_KEY_READ], _attempt(configurable)
    with _lock:
        calls = _calls.setdefault(task, {}).setdefault(graph, Calls())
        if calls.attempt != attempt:
            calls.attempt, calls.made = attempt, 0
        if calls.made == len(calls.numbers):
            calls.numbers.append(scratchpad.subgraph_counter())
        calls.made += 1
        return calls.numbers[calls.made - 1]


def _attempt(configurable: dict[str, Any]) -> int:
    """Which try of its node a call belongs to, from 1."""
    info = getattr(configurable.get(CONFIG_KEY_RUNTIME), "execution_info", None)
    return int(info.node_attempt) if info else 1
