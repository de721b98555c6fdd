"""`batches`: a cell of the host's own that has all of the text read, in chunks, before a model writes any code.

It is run by `execute` like any other: durable, within the limits, seen in the history. Where it does not end the run,
the loop goes on with what it left. Where there are more chunks than sub-calls, the loop begins without it: a model does
as the code does that it sees.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage
from langchain_core.runnables import RunnableConfig
from langgraph.types import Command
from typing_extensions import TypedDict

from langgraph_rlm.asking.ledger import SUBCALLS
from langgraph_rlm.effects import Steps, Work
from langgraph_rlm.errors import LimitExceeded
from langgraph_rlm.nodes.begin_loop import begin_loop
from langgraph_rlm.nodes.ending import limit_reached
from langgraph_rlm.routes.profiles import PROFILES
from langgraph_rlm.routes.routing import Routing
from langgraph_rlm.running.run import run_of
from langgraph_rlm.running.spec import RLMSpec
from langgraph_rlm.state import Question

ASIDE = 1_000
"""Characters of a prompt that are kept free for what is said beside question and chunk."""
LEAST_CHUNK = 1_000
MOST_WORDED = 300
"""Characters of a question whose words are looked at: a longer one may be a text that was pasted into a chat."""
COUNT = re.compile(
    r"(?:how many|count (?:the|all)) (?!(?:times|days|weeks|months|years|hours|minutes|seconds|percent|of)\b)\w+", re.I
)
TOGETHER = re.compile(r"\b(?:different|distinct|unique|mentioned|named|kinds?|types?)\b", re.I)
LIST = re.compile(r"(?:please )?(?:list|enumerate|(?:name|give me|show me|find) (?:all|every|each))\b", re.I)
MORE = re.compile(
    r"\b(?:sums?|totals?|average|mean|median|most|least|per|percentage|share|ratio|more|fewer|less|than|difference|top|"
    r"first|last|between|even|odd|if|when|why|who|whose|\w{3,}est)\b",
    re.I,
)
"""Words after which answers about parts do not add up: a sum, a comparison, a superlative, a second question."""


class BatchesInput(TypedDict, total=False):
    question: Question
    context_id: str
    routing: dict[str, Any]
    told: str
    history: list[AnyMessage]


def batches(spec: RLMSpec, state: BatchesInput, config: RunnableConfig) -> Steps[Command[Any]]:
    run, question, context_id = run_of(config), state["question"], state["context_id"]
    context = yield Work(lambda: run.context(context_id, config))
    size = max(LEAST_CHUNK, spec.subcall_reach.characters - len(question["asked"]) - ASIDE)
    chunks, most = len((yield Work(lambda: context.chunk(size)))), spec.limits.max_subcalls
    update = {"route": "rlm", "seconds": run.ledger.seconds}
    if chunks > most:
        limit_reached(spec, LimitExceeded(SUBCALLS, chunks, most))
        routing = replace(Routing.of(state), unread=(chunks, most))
        begun = yield from begin_loop(spec, question, context_id, context, state, config)
        return Command(update={**begun, **update, "routing": routing.stored}, goto="generate")
    begun = yield from begin_loop(spec, question, context_id, context, state, config, is_its_turn=False)
    code = _code(spec, question, size)
    begun["history"].append(AIMessage(f"```repl\n{code}\n```"))
    return Command(update={**begun, **update, "code": code, "block": 1}, goto="execute")


def _code(spec: RLMSpec, question: Question, size: int) -> str:
    query = question["asked"]
    kind = kind_of(query)
    read = f"found = read_all({query!r}, {'items' if kind == 'distinct' else kind!r}, {size})"
    if kind == "distinct":
        read += "\nfound = found and len(found)"
    end = spec.dialect.conventions.end_with("found")
    if PROFILES[question["chosen"]].ends_with_batches:
        return f"{read}\n{end}"
    return f"{read}\nif found is not None:\n    {end}"


def kind_of(question: str) -> str:
    """How answers about parts of a text add up to one about all of it, where the question's words leave no doubt.

    "count" adds numbers, "items" joins lists, "distinct" counts what is in them, and "text" is left to a model.
    """
    if len(question) > MOST_WORDED or MORE.search(question):
        return "text"
    if COUNT.match(question.strip()):
        return "distinct" if TOGETHER.search(question) else "count"
    return "items" if LIST.match(question.strip()) else "text"
