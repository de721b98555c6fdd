"""`subcall`: answers one prompt, by a model call or by a child RLM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph._internal._constants import CONF, CONFIG_KEY_TASK_ID
from langgraph.errors import GraphBubbleUp
from langgraph.graph.state import CompiledStateGraph

from langgraph_rlm import prompts
from langgraph_rlm.caching import Known, Recall, Remember, key_of
from langgraph_rlm.calls import Ask, Replied
from langgraph_rlm.context import Context
from langgraph_rlm.context.files import clean
from langgraph_rlm.effects import Steps
from langgraph_rlm.errors import LimitExceeded
from langgraph_rlm.inputs import name_of
from langgraph_rlm.level import Level
from langgraph_rlm.nodes.ending import as_text
from langgraph_rlm.nodes.route import LONG_QUERY
from langgraph_rlm.run import SPENT, Run, read, run_of, spent_before
from langgraph_rlm.state import SubcallInput

NOTHING: dict[str, Any] = {"usage": {}, "steps": 0, "subcalls": 0}

Child = CompiledStateGraph[Any, Any, Any, Any]


@dataclass(frozen=True)
class RunChild:
    """The effect of running the child graph. Its result is the child's output."""

    child: Child
    input: dict[str, Any]
    config: RunnableConfig

    def run(self) -> Any:
        return self.child.invoke(self.input, self.config)

    async def arun(self) -> Any:
        return await self.child.ainvoke(self.input, self.config)


@dataclass(frozen=True)
class Answered:
    """An answer, what it took, and what the record of it says besides."""

    text: str
    spent: dict[str, Any]
    noted: dict[str, Any]


def subcall(level: Level, child: Child | None, state: SubcallInput, config: RunnableConfig) -> Steps[dict[str, Any]]:
    run, index = run_of(config), state["index"]
    asked = read(config, "pending")[index]
    prompt, context = asked["prompt"], asked["context"]
    record = {
        "kind": asked["kind"],
        "prompt": prompts.shortened(prompt),
        "characters": len(prompt) + len(context or ""),
        **({"ahead": True} if asked.get("ahead") else {}),
    }
    try:
        answered: Answered = yield from _answered(level, child, asked, run, config)
    except GraphBubbleUp:
        raise
    except Exception as failure:
        if isinstance(failure, LimitExceeded) and level.limits.on_exceeded == "raise":
            raise
        error = clean(f"{type(failure).__name__}: {failure}")
        event, spent = ["answer", index, None, error], spent_before(failure)
        record["error"] = prompts.shortened(error)
    else:
        event, spent = ["answer", index, answered.text, None], answered.spent
        record |= {**answered.noted, "answer": prompts.shortened(answered.text)}
    return {
        **spent,
        "subcalls": spent["subcalls"] + 1,
        "journal": [event],
        "asked": [record],
        "seconds": run.ledger.seconds,
    }


def _answered(
    level: Level, child: Child | None, asked: dict[str, Any], run: Run, config: RunnableConfig
) -> Steps[Answered]:
    """The answer: from the cache where there is one, else asked for."""
    prompt, context, task = asked["prompt"], asked["context"], config[CONF][CONFIG_KEY_TASK_ID]
    recursive = child is not None and _wants_child(level, asked)
    key = key_of(level.recursive if recursive else level.plain, prompt, context) if run.cache else ""
    if run.cache:
        known: Known | None = yield Recall(run.cache, key)
        if known is not None and known.task == task:  # killed before the state had it: it was this run that paid
            return Answered(known.answer, known.spent, {})
        if known is not None:
            return Answered(known.answer, NOTHING, {"cached": True})
    if recursive:
        assert child is not None
        answered = yield from _recursive(child, prompt, context, run, config)
    else:
        text = prompt if context is None else f"{prompt}\n\n{context}"
        replied: Replied = yield Ask(level.sub_model, [HumanMessage(text)], run.gate, config)
        answered = Answered(replied.text, {**NOTHING, "usage": replied.usage}, {})
    if run.cache and "status" not in answered.noted:
        yield Remember(run.cache, key, Known(answered.text, task, answered.spent))
    return answered


def _recursive(child: Child, prompt: str, context: str | None, run: Run, config: RunnableConfig) -> Steps[Answered]:
    """Runs the child. Its text is the prompt's, which this RLM's state has: the child stores its name alone.

    Without a context the prompt is its text, and its query too, shortened.
    """
    text, query = (prompt, prompts.shortened(prompt, LONG_QUERY)) if context is None else (context, prompt)
    about = Context.of(text)
    name = name_of(about)
    with run.knowing(name, about):
        given = {"query": query, "context": [{"id": name}], "profile": "rlm"}
        output = yield RunChild(child, given, config)
    spent = {channel: output[channel] for channel in SPENT}
    noted = {"trajectory": output["trajectory"], **({"status": "limit"} if output["status"] == "limit" else {})}
    return Answered(as_text(output["answer"]), spent, noted)


def _wants_child(level: Level, asked: dict[str, Any]) -> bool:
    size = len(asked["prompt"]) + len(asked["context"] or "")
    return bool(asked["kind"] == "rlm" or size > level.router.subcall_direct_below)
