"""The answer to one request: from the cache where there is one, else by a model, by a child RLM, or by a tool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph.state import CompiledStateGraph
from langgraph.pregel.remote import RemoteGraph

from langgraph_rlm.answers.schema import AnswerSchema, Unfit
from langgraph_rlm.answers.values import as_text
from langgraph_rlm.asking import typed
from langgraph_rlm.asking.caching import AwaitIdentical, CachedAnswer, GetCached, PutCached
from langgraph_rlm.asking.ledger import NOTHING_SPENT
from langgraph_rlm.asking.model_calls import CallModel
from langgraph_rlm.asking.remote_child import ask_remote_child, remote_question, thread_of
from langgraph_rlm.asking.replies import ModelReply
from langgraph_rlm.asking.requests import Request
from langgraph_rlm.asking.tools import CallTool
from langgraph_rlm.context import Context
from langgraph_rlm.context.digests import context_id_of, digest_of
from langgraph_rlm.conversation import prompts
from langgraph_rlm.effects import Steps
from langgraph_rlm.errors import ModelError
from langgraph_rlm.models.reply_length import bounded_reply
from langgraph_rlm.nodes.records import below, tool_calls_in
from langgraph_rlm.repl.journal import answers_so_far
from langgraph_rlm.running.run import SPENT, Run, as_called, read, spent_before
from langgraph_rlm.running.spec import RLMSpec

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
class SubcallResult:
    """An answer, a str or plain data, what it took, and what the record of it says besides."""

    value: Any
    spent: dict[str, Any]
    record_extras: dict[str, Any]


def answer_to(
    spec: RLMSpec,
    child: Child | None,
    request: Request,
    asker: str,
    run: Run,
    config: RunnableConfig,
    on_send: Callable[[], None] | None = None,
) -> Steps[SubcallResult]:
    """The answer: from the cache where there is one, else asked for. What is asked just now is not asked again.

    `asker` names the sub-call: by it a run that was killed knows an answer of the cache as one that it has paid for.
    """
    if request.kind == "tool":
        result = yield CallTool(spec.tools[request.prompt], request.arguments or {}, run.gate, as_called(config))
        return SubcallResult(result, NOTHING_SPENT, {})
    if run.cache is None or spec.capabilities.has_side_effects(request):
        return (yield from _ask_model_or_child(spec, child, request, run, config, on_send))
    # who is asked: which graph, which model, and with which settings where they matter
    asked = spec.child_identity if spec.goes_to_child(request) else spec.model_identity(request.model, config)
    key = digest_of(asked, request.key)
    cached: CachedAnswer | None = yield GetCached(run.cache, key)
    if cached is not None and cached.asker == asker:  # killed before the state had it: it was this run that paid
        return SubcallResult(cached.answer, cached.spent, {})
    while cached is None and (other := run.identical_calls.join(key)):
        cached = yield AwaitIdentical(other)
    if cached is not None:
        return SubcallResult(cached.answer, NOTHING_SPENT, {"cached": True})
    try:
        result = yield from _ask_model_or_child(spec, child, request, run, config, on_send)
        if "status" not in result.record_extras:
            cached = CachedAnswer(result.value, asker, result.spent)
            yield PutCached(run.cache, key, cached)
        return result
    finally:
        run.identical_calls.end(key, cached)


def _ask_model_or_child(
    spec: RLMSpec,
    child: Child | None,
    request: Request,
    run: Run,
    config: RunnableConfig,
    on_send: Callable[[], None] | None,
) -> Steps[SubcallResult]:
    """What a model says, or a child RLM."""
    if spec.goes_to_child(request):
        output = yield from _run_child(spec, child, request, run, config)
        return _child_result(request, output)
    text = request.prompt if request.context is None else f"{request.prompt}\n\n{request.context}"
    model = spec.model_named(request.model)
    options = {} if request.max_tokens is None else bounded_reply(model, request.max_tokens)
    call = CallModel(model, [HumanMessage(text)], run.gate, as_called(config), options=options, on_send=on_send)
    if request.schema is None:
        reply: ModelReply = yield call
        return SubcallResult(reply.whole, {**NOTHING_SPENT, "usage": reply.usage}, {})
    value, usage = yield from typed.ask_typed(call, AnswerSchema.of_schema(request.schema))
    return SubcallResult(value, {**NOTHING_SPENT, "usage": usage}, {})


def _run_child(
    spec: RLMSpec, child: Child | None, request: Request, run: Run, config: RunnableConfig
) -> Steps[dict[str, Any]]:
    """The output of the child RLM. Without a context the prompt is its text, and its query too, shortened."""
    prompt, context = request.prompt, request.context
    text, query = (prompt, prompts.shorten(prompt, prompts.MOST_QUERY)) if context is None else (context, prompt)
    if spec.remote is not None:
        return (yield from _run_remote_child(spec, spec.remote, request, query, text, run, config))
    assert child is not None
    about = Context.of(text)
    name = context_id_of(about)  # the text itself is the prompt's, which this RLM's state has
    with run.holding_context(name, about):
        question = {"query": query, "context": [{"id": name}], "profile": "rlm"}
        child_input = {**question, "answer_schema": request.schema, "writer": request.model}
        output: dict[str, Any] = yield RunChild(child, child_input, config)
    return output


def _run_remote_child(
    spec: RLMSpec, remote: RemoteGraph, request: Request, query: str, text: str, run: Run, config: RunnableConfig
) -> Steps[dict[str, Any]]:
    """The output of a child RLM on a server, which may spend its share of what is left."""
    answered, pending = answers_so_far(read(config, "journal")), map(Request.of, read(config, "pending"))
    sharers = sum(spec.goes_to_child(other) for index, other in enumerate(pending) if index not in answered)
    share, spent = run.ledger.share(sharers), NOTHING_SPENT
    question, thread_id = remote_question(request, query, text, share, run.ledger.limits), thread_of(request, config)
    try:
        output = yield from ask_remote_child(remote, question, thread_id, run.ledger, config)
        output |= {"tool_calls": tool_calls_in(output["trajectory"]), "trajectory": below(output["trajectory"])}
        spent = {channel: output[channel] for channel in SPENT}
    except Exception as failure:
        spent = spent_before(failure)
        raise
    finally:
        run.ledger.settle(share, spent)
    if output["status"] == "limit" and spec.limits.on_exceeded == "raise":
        raise run.ledger.exceeded_by(share, spent)
    return output


def _child_result(request: Request, output: dict[str, Any]) -> SubcallResult:
    """What a child RLM's output is to the code that asked."""
    spent = {channel: output[channel] for channel in SPENT}
    if output["answer"] is None:
        failure = ModelError("the RLM that was asked has come to no answer")
        failure.rlm_spent = spent  # type: ignore[attr-defined]
        raise failure
    record_extras = {"trajectory": output["trajectory"], **({"status": "limit"} if output["status"] == "limit" else {})}
    if request.schema is None:
        return SubcallResult(as_text(output["answer"]), spent, record_extras)
    try:
        return SubcallResult(AnswerSchema.of_schema(request.schema).conform(output["answer"]), spent, record_extras)
    except Unfit as mismatch:  # it came to a limit before that
        mismatch.rlm_spent = spent  # type: ignore[attr-defined]
        raise
