"""`subcall`: answers one prompt, by a model call or by a child RLM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphBubbleUp
from langgraph.graph.state import CompiledStateGraph

from langgraph_rlm import prompts
from langgraph_rlm.calls import Ask, Replied
from langgraph_rlm.context import Context
from langgraph_rlm.context.files import clean
from langgraph_rlm.effects import Steps
from langgraph_rlm.errors import LimitExceeded
from langgraph_rlm.inputs import stored
from langgraph_rlm.level import Level
from langgraph_rlm.nodes.ending import as_text
from langgraph_rlm.nodes.route import LONG_QUERY
from langgraph_rlm.run import SPENT, run_of, spent_before
from langgraph_rlm.state import SubcallInput


@dataclass(frozen=True)
class RunChild:
    """The effect of running the child graph. Its result is the child's output."""

    child: CompiledStateGraph[Any, Any, Any, Any]
    input: dict[str, Any]
    config: RunnableConfig

    def run(self) -> Any:
        return self.child.invoke(self.input, self.config)

    async def arun(self) -> Any:
        return await self.child.ainvoke(self.input, self.config)


def subcall(
    level: Level, child: CompiledStateGraph[Any, Any, Any, Any] | None, state: SubcallInput, config: RunnableConfig
) -> Steps[dict[str, Any]]:
    run = run_of(config)
    prompt, context = state["prompt"], state["context"]
    outcome: list[Any]
    record: dict[str, Any] = {
        "kind": state["kind"],
        "prompt": prompts.shortened(prompt),
        "characters": len(prompt) + len(context or ""),
    }
    try:
        if child is not None and _wants_child(level, state):
            output = yield RunChild(child, child_input(prompt, context), config)
            value = as_text(output["answer"])
            spent = {channel: output[channel] for channel in SPENT}
            record["trajectory"] = output["trajectory"]
        else:
            text = prompt if context is None else f"{prompt}\n\n{context}"
            replied: Replied = yield Ask(level.sub_model, [HumanMessage(text)], run.gate, config)
            value, spent = replied.text, {"usage": replied.usage, "steps": 0, "subcalls": 0}
    except GraphBubbleUp:
        raise
    except Exception as failure:
        if isinstance(failure, LimitExceeded) and level.limits.on_exceeded == "raise":
            raise
        error = clean(f"{type(failure).__name__}: {failure}")
        spent = spent_before(failure)
        outcome, record["error"] = [None, error], prompts.shortened(error)
    else:
        outcome, record["answer"] = [value, None], prompts.shortened(value)
    return {
        **spent,
        "answers": [[state["index"], *outcome]],
        "asked": [record],
        "subcalls": spent["subcalls"] + 1,
    }


def _wants_child(level: Level, state: SubcallInput) -> bool:
    size = len(state["prompt"]) + len(state["context"] or "")
    return state["kind"] == "rlm" or size > level.router.subcall_direct_below


def child_input(prompt: str, context: str | None) -> dict[str, Any]:
    """The question a child RLM gets. Without a context the prompt is its text, and its query too, shortened."""
    text, query = (prompt, prompts.shortened(prompt, LONG_QUERY)) if context is None else (context, prompt)
    return {"query": query, "context": stored(Context.of(text), "subcall"), "profile": "rlm"}
