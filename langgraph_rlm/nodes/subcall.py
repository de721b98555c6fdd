"""`subcall`: answers one request, by a model, by a child RLM, or by a tool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphBubbleUp
from langgraph.graph.state import CompiledStateGraph
from langgraph.pregel.remote import RemoteGraph

from langgraph_rlm.answers.schema import AnswerSchema, Unfit
from langgraph_rlm.answers.values import as_text
from langgraph_rlm.asking import typed
from langgraph_rlm.asking.caching import AwaitIdentical, CachedAnswer, GetCached, PutCached
from langgraph_rlm.asking.in_flight import AwaitCall, InFlightCall, InFlightCalls, StartCall
from langgraph_rlm.asking.ledger import NOTHING_SPENT
from langgraph_rlm.asking.model_calls import CallModel, is_overflow, mark_ahead
from langgraph_rlm.asking.remote_child import ask_remote_child, remote_question, thread_of
from langgraph_rlm.asking.replies import ModelReply
from langgraph_rlm.asking.requests import Request
from langgraph_rlm.asking.tools import CallTool, ToolFailed
from langgraph_rlm.context import Context
from langgraph_rlm.context.digests import context_id_of, digest_of
from langgraph_rlm.context.files import clean
from langgraph_rlm.conversation import prompts
from langgraph_rlm.effects import Steps
from langgraph_rlm.errors import LimitExceeded, ModelError
from langgraph_rlm.langgraph_internals import CONF, CONFIG_KEY_TASK_ID
from langgraph_rlm.models.reply_length import bounded_reply
from langgraph_rlm.nodes.pending import NOT_NEEDED
from langgraph_rlm.nodes.records import below, record_of, tool_calls_in
from langgraph_rlm.repl.journal import answers_so_far
from langgraph_rlm.repl.python import answers
from langgraph_rlm.running.run import SPENT, Run, as_called, read, run_of, spent_before
from langgraph_rlm.running.spec import RLMSpec
from langgraph_rlm.state import SubcallInput

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


def subcall(spec: RLMSpec, child: Child | None, state: SubcallInput, config: RunnableConfig) -> Steps[dict[str, Any]]:
    run, index = run_of(config), state["index"]
    stored = read(config, "pending")[index]
    request, is_ahead = Request.of(stored), bool(stored.get("ahead"))
    in_flight = run.in_flight_of(read(config, "position")["token"])
    wave, is_valid = in_flight.wave, False
    record = record_of(request, is_ahead)
    try:
        call: InFlightCall | None = None
        if request.kind != "tool" and not spec.goes_to_child(request):
            call = yield from _join_or_start(spec, request, is_ahead, in_flight, run, config)
        if call is None:
            result: SubcallResult = yield from _fetch_answer(spec, child, request, run, config)
        elif (yield AwaitCall(call, wave)):
            run.in_flight_calls.discard(call)
            record = record_of(call.request, call.is_ahead)
            result = call.result()
        elif wave is not None and wave.has_answer and not is_ahead:
            return _not_needed(index, call, run)
        else:
            in_flight.put(call)
            return {}
    except GraphBubbleUp as interrupt:
        if not (is_ahead and request.kind == "tool"):
            raise
        return _not_asked(index, interrupt, run)
    except Exception as failure:
        if isinstance(failure, LimitExceeded) and is_ahead:
            return _not_asked(index, failure, run)
        if isinstance(failure, LimitExceeded) and spec.limits.on_exceeded == "raise":
            raise
        error = _error_text(failure)
        event, spent = ["answer", index, None, error], spent_before(failure)
        record["error"] = prompts.shorten(error)
    else:
        event, spent = ["answer", index, result.value, None], result.spent
        text = as_text(result.value)
        record |= {**result.record_extras, "answer": prompts.shorten(text)}
        is_valid = answers.is_valid(text)
    if wave is not None and not is_ahead:
        wave.note_ended(is_valid)
    if record.get("ahead"):
        spent = {**spent, "usage": mark_ahead(spent["usage"])}
    own = "tool_calls" if request.kind == "tool" else "subcalls"
    return {
        **{channel: amount for channel, amount in spent.items() if amount},
        own: spent[own] + (0 if is_ahead else 1),  # counted when the code comes to it
        "journal": [[*event, "tool"] if request.kind == "tool" else event],
        "asked": [record],
        "seconds": run.ledger.seconds,
    }


def _error_text(failure: Exception) -> str:
    """An error as the code and the trajectory have it."""
    if isinstance(failure, ToolFailed):
        return clean(str(failure))
    return clean(f"{answers.TOO_LONG if is_overflow(failure) else ''}{type(failure).__name__}: {failure}")


def _join_or_start(
    spec: RLMSpec, request: Request, is_ahead: bool, in_flight: InFlightCalls, run: Run, config: RunnableConfig
) -> Steps[InFlightCall | None]:
    """The call that asks this already, or a new one where the wave may end before it; None where it has to be waited
    for anyway."""
    wave = in_flight.wave
    if wave is None and not in_flight.calls:
        return None
    call = in_flight.take(request.key)
    if call is None and wave is not None and (wave.is_partial or is_ahead):
        call = InFlightCall(request, is_ahead)
        run.in_flight_calls.add(call)
        yield StartCall(call, _fetch_answer(spec, None, request, run, config, call.mark_sent))
    return call


def _not_asked(index: int, why: Exception, run: Run) -> dict[str, Any]:
    """It was to be asked ahead and cannot be now: the code asks again, if it ever comes to it."""
    return {**spent_before(why), "journal": [["unasked", index]], "seconds": run.ledger.seconds}


def _not_needed(index: int, call: InFlightCall, run: Run) -> dict[str, Any]:
    """Another one has the answer: this one is cancelled, and counts where the model was asked."""
    call.cancel()
    update: dict[str, Any] = {"journal": [["answer", index, None, NOT_NEEDED.error]], "seconds": run.ledger.seconds}
    if not call.was_sent:
        run.ledger.give_back([call.request])
        return update
    return {**update, "subcalls": 1, "asked": [record_of(call.request, call.is_ahead) | {"cancelled": True}]}


def _fetch_answer(
    spec: RLMSpec,
    child: Child | None,
    request: Request,
    run: Run,
    config: RunnableConfig,
    on_send: Callable[[], None] | None = None,
) -> Steps[SubcallResult]:
    """The answer: from the cache where there is one, else asked for. What is asked just now is not asked again."""
    if request.kind == "tool":
        result = yield CallTool(spec.tools[request.prompt], request.arguments or {}, run.gate, as_called(config))
        return SubcallResult(result, NOTHING_SPENT, {})
    if run.cache is None or spec.capabilities.has_side_effects(request):
        return (yield from _ask_model_or_child(spec, child, request, run, config, on_send))
    # who asks: which graph, which model, and with which settings where they matter
    asker = spec.child_identity if spec.goes_to_child(request) else spec.model_identity(request.model, config)
    key, task = digest_of(asker, request.key), config[CONF][CONFIG_KEY_TASK_ID]
    cached: CachedAnswer | None = yield GetCached(run.cache, key)
    if cached is not None and cached.task == task:  # killed before the state had it: it was this run that paid
        return SubcallResult(cached.answer, cached.spent, {})
    while cached is None and (other := run.identical_calls.join(key)):
        cached = yield AwaitIdentical(other)
    if cached is not None:
        return SubcallResult(cached.answer, NOTHING_SPENT, {"cached": True})
    try:
        result = yield from _ask_model_or_child(spec, child, request, run, config, on_send)
        if "status" not in result.record_extras:
            cached = CachedAnswer(result.value, task, result.spent)
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
