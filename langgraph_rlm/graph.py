"""The picture: nodes, edges, recursion.

    START ─► route ─► direct ─────────────────────────────► END      the context fits: one model call
               └────► generate ─► execute ─(Final)────────► END
                         ▲        │  ▲
                         └────────┘  └── answers ── subcall × n
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from langgraph._internal._runnable import RunnableCallable
from langgraph.cache.base import BaseCache
from langgraph.graph import END, START, StateGraph
from langgraph.store.base import BaseStore
from langgraph.types import Checkpointer

from langgraph_rlm.effects import Steps, adrive, drive
from langgraph_rlm.errors import InvalidInput
from langgraph_rlm.level import Level
from langgraph_rlm.models import resolve_model
from langgraph_rlm.nodes.direct import DirectInput, direct
from langgraph_rlm.nodes.execute import ExecuteInput, execute
from langgraph_rlm.nodes.generate import GenerateInput, generate
from langgraph_rlm.nodes.route import RouteInput, route
from langgraph_rlm.nodes.subcall import subcall
from langgraph_rlm.repl.workers import Workers
from langgraph_rlm.run import RLM
from langgraph_rlm.settings import Limits, Router, Sandbox
from langgraph_rlm.state import RLMInput, RLMOutput, RLMState, SubcallInput


def rlm_graph(level: Level, context_schema: type[Any] | None) -> StateGraph[Any, Any, Any, Any]:
    """The graph of an RLM at one depth."""
    graph = StateGraph(RLMState, context_schema, input_schema=RLMInput, output_schema=RLMOutput)
    subcalls = (level.subcall_node,) if level.has_subcalls else ()
    graph.add_node("route", _node(route, level), input_schema=RouteInput, destinations=("direct", "generate"))
    graph.add_node("direct", _node(direct, level), input_schema=DirectInput)
    graph.add_node("generate", _node(generate, level), input_schema=GenerateInput)
    graph.add_node(
        "execute", _node(execute, level), input_schema=ExecuteInput, destinations=("generate", *subcalls, END)
    )
    graph.add_edge(START, "route")
    graph.add_edge("direct", END)
    graph.add_edge("generate", "execute")
    if level.has_subcalls:
        graph.add_node(level.subcall_node, _node(subcall, level, level.child), input_schema=SubcallInput)
        graph.add_edge(level.subcall_node, "execute")
    return graph
