"""Models as apps have them: with fallbacks, retries, settings bound to them, chosen by the config; and any Runnable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from langchain.chat_models import init_chat_model
from langchain_core.messages import AIMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import ConfigurableField, RunnableLambda
from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import SecretStr

from langgraph_rlm import create_rlm
from langgraph_rlm.conversation.voices import voice_for
from langgraph_rlm.errors import InvalidInput
from langgraph_rlm.models.reply_length import bounded_reply
from langgraph_rlm.models.wrapped import wrapped
from tests.fakes import ScriptedModel, cell, rlm_of
from tests.servers import Asked, Reply, serving

GIVEN: Any = {"query": "What?", "context": "the text", "profile": "rlm"}
CELLS = (cell("x = llm_query('a')"), cell("Final = [x, llm_query('b')]"))


class Failing(ScriptedModel):
    """Is down."""

    def _generate(self, *arguments: Any, **more: Any) -> Any:
        raise ValueError("it is down")

    async def _agenerate(self, *arguments: Any, **more: Any) -> Any:
        raise ValueError("it is down")


class Tuned(ScriptedModel):
    """Has a setting."""

    tone: str = "plain"

    def _reply_to(self, call: Any) -> str:
        said = super()._reply_to(call)
        return said if call.writes_code else f"{self.tone}: {said}"


def answers(tone: str = "") -> Callable[[str], str]:
    return lambda prompt: f"{tone}{prompt}!"


def fallbacks(model: ScriptedModel) -> Any:
    return Failing().with_fallbacks([model])


def retries(model: ScriptedModel) -> Any:
    return model.with_retry(stop_after_attempt=2, wait_exponential_jitter=False)


def prompted(model: ScriptedModel) -> Any:
    return ChatPromptTemplate([MessagesPlaceholder("messages")]) | model


WRAPPED: list[Callable[[ScriptedModel], Any]] = [
    lambda model: model,
    fallbacks,
    retries,
    lambda model: model.bind(stop=["###"]),
    lambda model: model.with_config(tags=["mine"]),
    lambda model: Failing().with_fallbacks([model.bind(stop=["###"])]).with_config(run_name="both"),
    lambda model: RunnableLambda(lambda messages: {"messages": messages}) | prompted(model),
    lambda model: lambda messages: model.invoke(messages),
    lambda model: RunnableLambda(lambda messages: model.invoke(messages)),
    lambda model: RunnableLambda(lambda messages: model.invoke(messages).text),
]
NAMES = [
    "model",
    "fallbacks",
    "retries",
    "bind",
    "with_config",
    "several",
    "sequence",
    "plain function",
    "function",
    "text",
]


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("wrap", WRAPPED, ids=NAMES)
def test_model_may_be_wrapped_in_any_way(wrap: Any, is_async: bool) -> None:
    model = ScriptedModel(script=CELLS, answer=answers())
    rlm: Any = create_rlm(wrap(model), models={"other": wrap(ScriptedModel(answer=answers("other ")))})
    out = asyncio.run(rlm.ainvoke(GIVEN)) if is_async else rlm.invoke(GIVEN)
    assert out["answer"] == ["a!", "b!"]
    if wrap is not WRAPPED[-1]:
        assert out["usage"]["scripted-1"]["input_tokens"] == 40


def test_wrapped_models_are_for_sub_calls_for_each_depth_and_by_name() -> None:
    named = ScriptedModel(answer=answers("named "))
    root = ScriptedModel(cell("Final = [llm_query('a'), llm_query('b', model='other'), rlm_query('c', 'd')]"))
    below = ScriptedModel(cell("Final = 'below'"))
    rlm = create_rlm(
        [fallbacks(root), retries(below)],
        sub_model=fallbacks(ScriptedModel(answer=answers("sub "))),
        models={"other": named.bind(stop=["#"])},
    )
    assert rlm.invoke(GIVEN)["answer"] == ["sub a!", "named b!", "below"]


def test_usage_has_the_class_of_the_model_inside_where_that_reports_no_name() -> None:
    model = ScriptedModel(script=CELLS, answer=answers(), reports=None)
    assert [*create_rlm(retries(model)).invoke(GIVEN)["usage"]] == ["ScriptedModel"]


def test_window_is_the_smallest_inside() -> None:
    small, large = (ScriptedModel(profile={"max_input_tokens": size}) for size in (8_000, 200_000))
    assert wrapped(large.with_fallbacks([small])).profile == {"max_input_tokens": 8_000}
    assert voice_for(wrapped(large.with_fallbacks([small])), "auto").name == "small"
    assert voice_for(wrapped(large.with_retry()), "auto").name == "large"
    assert wrapped(large.with_fallbacks([ScriptedModel()])).profile is None
    assert wrapped(RunnableLambda(lambda messages: AIMessage("x"))).profile is None


def test_models_of_this_machine_are_small_in_any_wrapping() -> None:
    ollama = init_chat_model("ollama:qwen3")
    assert voice_for(wrapped(ollama.with_retry()), "auto").name == "small"


def tuned(tone: str = "plain") -> Any:
    return Tuned(script=CELLS, answer=answers(), tone=tone)


def test_settings_that_the_config_chooses_are_those_of_each_run() -> None:
    field = ConfigurableField(id="tone")
    model = tuned().configurable_fields(tone=field)
    rlm = create_rlm(model, checkpointer=InMemorySaver(), cache=InMemoryCache())
    said = {}
    for thread, tone in enumerate(("dry", "warm", "dry")):
        config: Any = {"configurable": {"thread_id": str(thread), "tone": tone}}
        out = rlm.invoke(GIVEN, config)
        said[thread] = out["answer"]
        assert [record.get("cached", False) for step in out["trajectory"] for record in step["subcalls"]] == (
            [thread == 2] * 2
        )
    assert said == {0: ["dry: a!", "dry: b!"], 1: ["warm: a!", "warm: b!"], 2: ["dry: a!", "dry: b!"]}


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (lambda: tuned().bind(stop=["a"]), lambda: tuned().bind(stop=["a"]), True),
        (lambda: tuned().bind(stop=["a"]), lambda: tuned().bind(stop=["b"]), False),
        (lambda: tuned().with_retry(), lambda: tuned().with_retry(), True),
        (lambda: tuned("dry").with_retry(), lambda: tuned("warm").with_retry(), False),
        (lambda: fallbacks(tuned("dry")), lambda: fallbacks(tuned("warm")), False),
        (lambda: RunnableLambda(lambda m: "one"), lambda: RunnableLambda(lambda m: "other"), False),
    ],
    ids=["same settings", "other settings", "same retries", "other model", "other fallback", "functions"],
)
def test_answers_are_shared_by_models_that_are_the_same(one: Any, other: Any, is_same: bool) -> None:
    cache: Any = InMemoryCache()
    cached, turns = [], [cell("Final = llm_query('a')")]
    for make in (one, other):
        rlm = rlm_of(ScriptedModel(script=turns), sub_model=make(), cache=cache)
        [step] = rlm.invoke(GIVEN)["trajectory"]
        cached.append(step["subcalls"][0].get("cached", False))
    assert cached == [False, is_same]


def test_model_is_named_by_the_config_of_a_run() -> None:
    def answer(asked: Asked) -> Reply:
        said = cell(f"Final = {asked.body['model']!r}")
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said}}
        return Reply({"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]})

    with serving(answer) as server:
        settings: Any = {"base_url": server.url, "api_key": SecretStr("none")}
        rlm = create_rlm(init_chat_model(model_provider="openai", **settings))
        for name in ("gpt-a", "gpt-b"):
            out = rlm.invoke({**GIVEN, "context": "x" * 400}, {"configurable": {"model": name}})
            assert out["trajectory"][0]["code"] == f"Final = {name!r}"


@pytest.mark.parametrize(
    ("inside", "options"),
    [
        (["openai:m"], {"max_completion_tokens": 9}),
        (["openai:m", "openai:n"], {"max_completion_tokens": 9}),
        (["openai:m", "anthropic:n"], {"max_tokens": 9}),
        (["ollama:m"], {"options": {"num_predict": 9}}),
    ],
    ids=str,
)
def test_replies_are_bounded_as_the_models_inside_have_it(inside: list[str], options: Any) -> None:
    make: Any = init_chat_model
    models = [make(name, **({} if name.startswith("ollama") else {"api_key": SecretStr("x")})) for name in inside]
    bounded = bounded_reply(wrapped(models[0].with_fallbacks(models[1:])), 9)
    assert {**bounded, **({"options": options["options"]} if "options" in options else {})} == options


@pytest.mark.parametrize("gives", [5, None, {"answer": 1}, [AIMessage("x")]])
def test_runnable_that_gives_no_message_is_told_of(gives: Any) -> None:
    with pytest.raises(InvalidInput, match="a message is needed"):
        create_rlm(RunnableLambda(lambda messages: gives)).invoke(GIVEN)


def test_streams_have_the_messages_of_the_model_inside_once() -> None:
    model = ScriptedModel(answer=lambda prompt: "said")
    stream: Any = create_rlm(fallbacks(model)).stream({**GIVEN, "profile": "direct"}, stream_mode="messages")
    seen = [message for message, _ in stream]
    assert "".join(message.text for message in seen) == "said"
