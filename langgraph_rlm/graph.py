"""The picture: nodes, edges, recursion.

START ─► route ─► direct ─────────────────────────────► END      the context fits: one model call
           ├────► extract ─(found)────────────────────► END      without a model
           │         ▼ (not found)
           ├────► batches ───┐                                   all of the text is read, in chunks
           │                 ▼
           └────► generate ─► execute ─(Final)────────► END
                     ▲        │  ▲   └─► [check × n ─► verify ─► END, or back to generate]
                     └────────┘  └── answers ── [confirm ─►] subcall × n
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from langgraph_rlm.effects import Steps, adrive, drive
from langgraph_rlm.langgraph_internals import RunnableCallable
from langgraph_rlm.nodes.batches import BatchesInput, batches
from langgraph_rlm.nodes.checking import CheckInput
from langgraph_rlm.nodes.confirm import ConfirmInput, confirm
from langgraph_rlm.nodes.direct import DirectInput, direct
from langgraph_rlm.nodes.execute import execute
from langgraph_rlm.nodes.extract import ExtractInput, extract
from langgraph_rlm.nodes.generate import GenerateInput, generate
from langgraph_rlm.nodes.route import RouteInput, route
from langgraph_rlm.nodes.subcall import subcall
from langgraph_rlm.nodes.turn import CellInput
from langgraph_rlm.nodes.verify import VerifyInput, check, verify
from langgraph_rlm.running.run import note_spent
from langgraph_rlm.running.spec import RLMSpec
from langgraph_rlm.running.views import returned
from langgraph_rlm.state import ChildInput, ChildOutput, RLMInput, RLMOutput, RLMState, SubcallInput

Child = CompiledStateGraph[Any, Any, Any, Any]


def rlm_graph(spec: RLMSpec, child: Child | None, context_schema: type[Any] | None) -> StateGraph[Any, Any, Any, Any]:
    """The graph of an RLM at one depth; `child` is the compiled graph of the next, where depth allows one."""
    schemas = (RLMInput, RLMOutput) if spec.depth == 0 else (ChildInput, ChildOutput)
    graph = StateGraph(RLMState, context_schema, input_schema=schemas[0], output_schema=schemas[1])
    subcalls = (spec.subcall_node,) if spec.can_ask else ()

    batched = ("batches",) if spec.has_profiles else ()
    after_route = ("direct", "extract", *batched, "generate")
    graph.add_node("route", _node(spec, route), input_schema=RouteInput, destinations=after_route)
    graph.add_node("direct", _node(spec, direct), input_schema=DirectInput)
    graph.add_node("extract", _node(spec, extract), input_schema=ExtractInput, destinations=(*after_route[2:], END))
    graph.add_node("generate", _node(spec, generate), input_schema=GenerateInput)
    confirming = ("confirm",) if spec.confirms_fan_outs else ()
    checked = ("check", "verify") if spec.has_profiles else ()
    after_execute = ("generate", *confirming, *subcalls, *checked, END)
    graph.add_node("execute", _node(spec, execute), input_schema=CellInput, destinations=after_execute)

    graph.add_edge(START, "route")
    graph.add_edge("direct", END)
    graph.add_edge("generate", "execute")
    if spec.can_ask:
        answering, drawn = _subcall_node(spec, child), ("execute",)  # and itself, while more is in flight
        graph.add_node(spec.subcall_node, answering, input_schema=SubcallInput, destinations=drawn)
    if spec.has_profiles:
        after_batches = ("execute", "generate")
        graph.add_node("batches", _node(spec, batches), input_schema=BatchesInput, destinations=after_batches)
        graph.add_node("check", _node(spec, check), input_schema=CheckInput)
        graph.add_edge("check", "verify")
        graph.add_node("verify", _node(spec, verify), input_schema=VerifyInput, destinations=("generate", END))
    if spec.confirms_fan_outs:
        graph.add_node("confirm", _node(spec, confirm), input_schema=ConfirmInput, destinations=(*subcalls, "execute"))
    return graph


def _node(spec: RLMSpec, logic: Callable[[RLMSpec, Any, RunnableConfig], Steps[Any]]) -> RunnableCallable:
    """A node's logic as LangGraph runs it, sync and async."""

    def run(state: Any, config: RunnableConfig) -> Any:
        try:
            return returned(drive(logic(spec, state, config)), config)
        except Exception as failure:
            note_spent(failure, config)
            raise

    async def arun(state: Any, config: RunnableConfig) -> Any:
        try:
            return returned(await adrive(logic(spec, state, config)), config)
        except Exception as failure:
            note_spent(failure, config)
            raise

    return RunnableCallable(run, arun, name=logic.__name__, trace=False)


def _subcall_node(spec: RLMSpec, child: Child | None) -> RunnableCallable:
    """The sub-call node. LangGraph finds the child graph because the functions name it: it draws and inspects it."""

    def run(state: SubcallInput, config: RunnableConfig) -> Any:
        return returned(drive(subcall(spec, child, state, config)), config)

    async def arun(state: SubcallInput, config: RunnableConfig) -> Any:
        return returned(await adrive(subcall(spec, child, state, config)), config)

    return RunnableCallable(run, arun, name=spec.subcall_node, trace=False)
