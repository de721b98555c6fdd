"""What of a run is seen: in traces, in streams, and in the states of a thread.

The checkpointer keeps every channel. `UNSEEN` are those that a trace, a stream or a history would repeat at each step
and that nobody reads there. LangGraph traces what a node returns, so these are not returned but written; and it streams
and lists what is among a graph's `stream_channels`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.graph.state import CompiledStateGraph
from langgraph.pregel.protocol import PregelProtocol
from langgraph.types import Command

from langgraph_rlm.langgraph_internals import CONF, CONFIG_KEY_SEND

Graph = CompiledStateGraph[Any, Any, Any, Any]

TEXTS = frozenset({"context", "pending"})
"""Channels with the text, and with what code asks, which may be all of the text again. Who stops a run at what it asks
looks at that: both are in the state of a thread, and not in its history."""
UNSEEN = TEXTS | {"journal", "cell_end", "suspension"}
"""With those that the REPL alone reads: what it was told, and dumps of it."""


def returned(output: Any, config: RunnableConfig) -> Any:
    """What of a node's output is returned, for all to see. The rest is written."""
    update = (output.update if isinstance(output, Command) else output) or {}
    config[CONF][CONFIG_KEY_SEND]([(name, value) for name, value in update.items() if name in UNSEEN])
    update = {name: value for name, value in update.items() if name not in UNSEEN}
    return replace(output, update=update) if isinstance(output, Command) else update


def attributes_of(graph: Graph) -> dict[str, Any]:
    """Those that LangGraph makes a graph of."""
    return {name: value for name, value in vars(graph).items() if not name.startswith("rlm_")}


class View(CompiledStateGraph[Any, Any, Any, Any]):
    """A graph whose states show more of its channels, and so do those of the graphs in its nodes."""

    def __init__(self, graph: Graph, shows: frozenset[str]) -> None:
        channels = [name for name in graph.channels if name in shows.union(graph.stream_channels_list)]
        super().__init__(**{**attributes_of(graph), "stream_channels": channels})
        self.rlm_shows = shows

    def get_subgraphs(
        self, *, namespace: str | None = None, recurse: bool = False
    ) -> Iterator[tuple[str, PregelProtocol[Any, Any, Any, Any]]]:
        for name, graph in super().get_subgraphs(namespace=namespace, recurse=recurse):
            yield name, View(graph, self.rlm_shows) if isinstance(graph, CompiledStateGraph) else graph
