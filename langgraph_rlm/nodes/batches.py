"""`batches`: a cell of the host's own that has all of the text read, in chunks, before a model writes any code.

It is run by `execute` like any other: durable, within the limits, seen in the history. Where it does not end the run,
the loop goes on with what it left.
"""

from __future__ import annotations

import re
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage
from langchain_core.runnables import RunnableConfig
from typing_extensions import TypedDict

from langgraph_rlm.effects import Steps, Work
from langgraph_rlm.level import Level
from langgraph_rlm.nodes.route import loop_begun
from langgraph_rlm.run import run_of
from langgraph_rlm.state import Question

ASIDE = 1_000
"""Characters of a prompt that are kept free for what is said beside question and chunk."""
LEAST_CHUNK = 1_000
COUNTED = re.compile(r"\bhow many\b|\bthe (?:total |overall )?number of\b|^\s*count\b", re.I)
DISTINCT = re.compile(r"\b(?:different|distinct|unique)\b", re.I)
LISTED = re.compile(
    r"^\s*(?:please )?(?:list|enumerate)\b|\b(?:name|list|give|show|find)\b.{0,20}\b(?:all|every|each)\b", re.I
)
COMPARED = re.compile(r"\b(?:average|mean|median|most|least|per|percentage|share|ratio|more|fewer|less|than)\b", re.I)


class BatchesInput(TypedDict, total=False):
    question: Question
    context_id: str
    told: str
    history: list[AnyMessage]


def batches(level: Level, state: BatchesInput, config: RunnableConfig) -> Steps[dict[str, Any]]:
    run, question, given = run_of(config), state["question"], state["context_id"]
    context = yield Work(lambda: run.context(given, config))
    begun = yield from loop_begun(level, question, given, context, state)
    code = _code(level, question)
    begun["history"].append(AIMessage(f"```repl\n{code}\n```"))
    return {**begun, "code": code, "block": 1, "route": "rlm", "seconds": run.ledger.seconds}


def _code(level: Level, question: Question) -> str:
    asked = question["asked"]
    size = max(LEAST_CHUNK, level.subcall_reach.characters - len(asked) - ASIDE)
    read = f"found = read_all({asked!r}, {kind_of(asked)!r}, {size})"
    end = level.dialect.idiom.ends("found")
    if question["chosen"] == "semantic_batches":
        return f"{read}\n{end}"
    return f"{read}\nif found is not None:\n    {end}"


def kind_of(question: str) -> str:
    """How answers about parts of a text add up to one about all of it, as the question's words tell.

    "count" and "distinct" are numbers, "items" a list, and "text" is what a model has to put together.
    """
    if COMPARED.search(question):
        return "text"
    if COUNTED.search(question):
        return "distinct" if DISTINCT.search(question) else "count"
    return "items" if LISTED.search(question) else "text"
