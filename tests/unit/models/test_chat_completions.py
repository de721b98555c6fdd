"""`GenericChatModel.openai`: what is sent to a server of OpenAI's form, and what is made of what it says."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from langchain_core.exceptions import (
    ModelAPIError,
    ModelAuthenticationError,
    ModelError,
    ModelInvalidRequestError,
    ModelRateLimitError,
)
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    convert_to_openai_messages,
)
from langchain_core.messages.tool import tool_call
from pydantic import SecretStr, ValidationError

from langgraph_rlm import GenericChatModel, Router, create_rlm
from langgraph_rlm.asking import retries
from langgraph_rlm.asking.model_calls import is_overflow, usage_of
from langgraph_rlm.asking.replies import read_reply
from langgraph_rlm.models.chat_completions import build_payload, parse_response
from langgraph_rlm.models.reply_length import bounded_reply
from tests.fakes import ScriptedModel, cell
from tests.servers import Reply, Server, serving

both = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
GIVEN = {"query": "How many?", "context": "a text"}
USAGE = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
NO_THOUGHTS = {"chat_template_kwargs": {"enable_thinking": False}}


def completion(said: Any = "yes", finish_reason: Any = "stop", **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": said} if isinstance(said, str) else said
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    return {"id": "chatcmpl-1", "model": "Qwen/Qwen3-8B", "choices": [choice], "usage": USAGE, **more}


def saying(*bodies: Any, status: int = 200) -> Any:
    """A server that says one after the other, and the last one again."""
    left = list(bodies)
    return serving(lambda asked: Reply(left.pop(0) if len(left) > 1 else left[0], status))


def model_at(server: Server, **settings: Any) -> GenericChatModel:
    return GenericChatModel.openai(f"{server.url}/v1", "qwen", **settings)


async def invoked(model: Any, is_async: bool) -> AIMessage:
    message: AIMessage = await model.ainvoke("hello") if is_async else model.invoke("hello")
    return message


# -- what is sent -----------------------------------------------------------------------------------------------------


@both
async def test_parameters_of_the_model_and_of_the_call_are_sent_as_they_are_named(is_async: bool) -> None:
    given = {"temperature": 0, "top_p": 0.9, "seed": 1, "stop": ["a"], "max_tokens": 50, "presence_penalty": 0.1}
    with saying(completion()) as server:
        model = model_at(server, **given, top_k=20, **NO_THOUGHTS, logit_bias=None)
        await invoked(model, is_async)
        await invoked(model.bind(temperature=1, stop=["b"], extra_body={"min_p": 0.1}, seed=None), is_async)
    first, second = [asked.body for asked in server.asked]
    assert server.asked[0].path == "/v1/chat/completions"
    turns = [{"role": "user", "content": "hello"}]
    assert first == {"model": "qwen", "messages": turns, **given, "top_k": 20, **NO_THOUGHTS}
    del first["seed"]
    assert second == {**first, "temperature": 1, "stop": ["b"], "min_p": 0.1}


@pytest.mark.parametrize("base", ["/v1", "/v1/", "", "/", "/openai/v1"])
def test_base_url_is_what_stands_before_the_path(base: str) -> None:
    with saying(completion()) as server:
        GenericChatModel.openai(server.url + base, "qwen").invoke("hello")
    [asked] = server.asked
    assert asked.path == f"{base.rstrip('/')}/chat/completions"


@pytest.mark.parametrize("key", ["sk", SecretStr("sk"), None, ""])
def test_key_is_sent_where_there_is_one(key: Any) -> None:
    with saying(completion()) as server:
        model_at(server, api_key=key, headers={"X-Team": "rlm"}).invoke("hello")
    [asked] = server.asked
    assert asked.headers.get("authorization") == ("Bearer sk" if key else None)
    assert asked.headers["x-team"] == "rlm"


MESSAGES: dict[str, list[BaseMessage]] = {
    "plain": [SystemMessage("s"), HumanMessage("h"), AIMessage("a"), HumanMessage("h")],
    "of a model": [AIMessage("a", response_metadata={"finish_reason": "stop"}, id="1")],
    "named": [HumanMessage("h", name="bob")],
    "of another role": [ChatMessage(content="c", role="developer")],
    "developer": [SystemMessage("s", additional_kwargs={"__openai_role__": "developer"})],
    "tools": [
        AIMessage("", tool_calls=[tool_call(name="f", args={"a": 1}, id="1")]),
        ToolMessage("t", tool_call_id="1"),
    ],
    "blocks of text": [HumanMessage([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])],
    "an image": [HumanMessage([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}])],
    "a refusal": [AIMessage("a", additional_kwargs={"refusal": "no"})],
}


@pytest.mark.parametrize("kind", MESSAGES)
def test_messages_are_sent_as_langchain_has_them_for_openai(kind: str) -> None:
    assert build_payload(MESSAGES[kind], model="m")["messages"] == convert_to_openai_messages(MESSAGES[kind])


@pytest.mark.parametrize(
    ("own", "keyword"), [({}, "max_tokens"), ({"max_tokens": 9}, "max_tokens"), ({"max_completion_tokens": 9}, None)]
)
def test_reply_is_bounded_by_the_name_that_the_model_is_set_by(own: dict[str, Any], keyword: str | None) -> None:
    model = GenericChatModel.openai("http://host", "qwen", **own)
    assert bounded_reply(model, 50) == {keyword or "max_completion_tokens": 9 if own else 50}
    assert bounded_reply(model, 5) == {keyword or "max_completion_tokens": 5}


# -- what is read -----------------------------------------------------------------------------------------------------


@both
async def test_answer_has_its_usage_and_what_the_server_tells_of_it(is_async: bool) -> None:
    used = {
        **USAGE,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 1},
    }
    with saying(completion(usage=used)) as server:
        model = model_at(server)
        message = await invoked(model, is_async)
    assert message.text == "yes"
    assert message.usage_metadata == {
        "input_tokens": 7,
        "output_tokens": 2,
        "total_tokens": 9,
        "input_token_details": {"cache_read": 4},
        "output_token_details": {"reasoning": 1},
    }
    assert message.response_metadata == {"model_name": "Qwen/Qwen3-8B", "id": "chatcmpl-1", "finish_reason": "stop"}
    assert [*usage_of(model, message)] == ["Qwen/Qwen3-8B"]


@both
async def test_answer_is_the_only_part_of_its_stream(is_async: bool) -> None:
    with saying(completion()) as server:
        model = model_at(server)
        chunks = [chunk async for chunk in model.astream("hello")] if is_async else list(model.stream("hello"))
    [chunk] = chunks
    assert (chunk.text, chunk.response_metadata["finish_reason"], chunk.chunk_position) == ("yes", "stop", "last")
    assert "stream" not in server.asked[0].body


USAGES: dict[str, tuple[Any, tuple[int, int, dict[str, int], dict[str, int]] | None]] = {
    "none": (None, None),
    "no details": ({**USAGE, "prompt_tokens_details": None, "completion_tokens_details": None}, (7, 2, {}, {})),
    "DeepSeek's": ({**USAGE, "prompt_cache_hit_tokens": 3}, (7, 2, {"cache_read": 3}, {})),
    "SGLang's": ({**USAGE, "reasoning_tokens": 1}, (7, 2, {}, {"reasoning": 1})),
    "without a total": ({"prompt_tokens": 7, "completion_tokens": 2}, (7, 2, {}, {})),
    "of a prompt alone": ({"prompt_tokens": 7}, (7, 0, {}, {})),
    "nonsense": ({"prompt_tokens": "7", "completion_tokens": -1, "prompt_tokens_details": [1]}, (0, 0, {}, {})),
    "no object": ([7, 2], None),
}


@pytest.mark.parametrize("kind", USAGES)
def test_usage_is_read_as_servers_tell_it(kind: str) -> None:
    told, expected = USAGES[kind]
    used = parse_response(completion(usage=told)).usage_metadata
    if expected is None:
        assert used is None
    else:
        assert used is not None
        details = {name: used.get(f"{name}_token_details", {}) for name in ("input", "output")}
        assert (used["input_tokens"], used["output_tokens"], details["input"], details["output"]) == expected
        assert used["total_tokens"] == expected[0] + expected[1]


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_thoughts_are_beside_the_answer(name: str) -> None:
    message = parse_response(completion({"content": "yes", name: "hm"}))
    assert message.additional_kwargs == {"reasoning_content": "hm"}
    assert [block["type"] for block in message.content_blocks] == ["reasoning", "text"]
    cut = read_reply(parse_response(completion({"content": None, name: "hm"})), {}).cut
    assert cut is not None
    assert cut.what == "has thoughts, and nothing else"


CUT = {
    "length": (completion("ye", "length"), "was cut off at 2 tokens (length)"),
    "filter": (completion("", "content_filter"), "was held back by the provider (content_filter)"),
    "refusal": (completion({"content": None, "refusal": "I will not."}), "is a refusal (I will not.)"),
}


@pytest.mark.parametrize("how", CUT)
def test_reply_that_is_not_whole_is_known(how: str) -> None:
    body, what = CUT[how]
    message = parse_response(body)
    cut = read_reply(message, {}).cut
    assert cut is not None
    assert cut.what == what


def test_parts_of_a_message_are_kept_as_they_are() -> None:
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "yes"}]
    assert parse_response(completion({"content": parts})).text == "yes"
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    message = parse_response(completion({"content": None, "tool_calls": [call]}, "tool_calls"))
    assert [(call["name"], call["args"]) for call in message.tool_calls] == [("f", {"a": 1})]


# -- failures ---------------------------------------------------------------------------------------------------------

IN_BODY: dict[str, tuple[Any, type[ModelError], str]] = {
    "OpenRouter, rate": (
        {"error": {"code": 429, "message": "Rate limited upstream", "metadata": {"provider_name": "x"}}},
        ModelRateLimitError,
        'Rate limited upstream {"code": 429, "metadata": {"provider_name": "x"}}',
    ),
    "OpenRouter, in a choice": (
        completion({"content": ""}, "error")
        | {"choices": [{"error": {"code": 502, "message": "Provider disconnected"}, "message": {"content": "ye"}}]},
        ModelAPIError,
        'Provider disconnected {"code": 502}',
    ),
    "code in words": (
        {"error": {"message": "no", "type": "invalid_request_error", "code": "invalid_api_key"}},
        ModelAuthenticationError,
        "no {",
    ),
    "code as text": ({"error": {"message": "no", "code": "503"}}, ModelAPIError, "no {"),
    "type": ({"error": {"message": "busy", "type": "overloaded_error"}}, ModelAPIError, "busy {"),
    "Google's": ({"error": {"message": "no", "status": "RESOURCE_EXHAUSTED"}}, ModelRateLimitError, "no {"),
    "TGI's": ({"error": "Model is overloaded", "error_type": "overloaded"}, ModelAPIError, "Model is overloaded {"),
    "vLLM's": (
        {"object": "error", "message": "no such model", "type": "NotFoundError", "code": 404},
        ModelError,
        "no such model {",
    ),
    "words alone": ({"error": "out of luck"}, ModelError, "out of luck"),
    "nothing known": ({"error": {"why": ["?"]}}, ModelError, '{"why": ["?"]}'),
    "window": (
        {"error": {"message": "This model's maximum context length is 8 tokens", "code": "context_length_exceeded"}},
        ModelInvalidRequestError,
        "This model's maximum context length is 8 tokens {",
    ),
}


@both
@pytest.mark.parametrize("how", IN_BODY)
async def test_error_that_comes_as_an_answer_is_raised(how: str, is_async: bool) -> None:
    body, kind, told = IN_BODY[how]
    with saying(body) as server, pytest.raises(kind) as caught:
        await invoked(model_at(server), is_async)
    assert str(caught.value).startswith(f"{server.url}/v1/chat/completions answered 200 with an error: {told}")
    assert is_overflow(caught.value) == (how == "window")


WITHOUT: dict[str, tuple[Any, str]] = {
    "another API": ({"hello": "world"}, ' without choices: {"hello": "world"}'),
    "no choices": (completion(choices=[]), " without choices: "),
    "no object": (b"[1, 2]", " without choices: [1, 2]"),
    "null": (None, " without choices: null"),
    "a number for choices": (completion(choices=1), " without a message in its first choice: "),
    "an object for choices": (completion(choices={"0": {}}), " without a message in its first choice: "),
    "a number for a choice": (completion(choices=[1]), " without a message in its first choice: "),
    "no message": (completion(choices=[{"text": "yes"}]), " without a message in its first choice: "),
    "a number for its text": (completion({"content": 7}), " without a message in its first choice: "),
    "numbers for its parts": (completion({"content": [7]}), " with what parse_response cannot read (ValidationError: "),
}


@both
@pytest.mark.parametrize("how", WITHOUT)
async def test_reply_without_an_answer_is_told_of(how: str, is_async: bool) -> None:
    body, told = WITHOUT[how]
    with saying(body) as server, pytest.raises(ModelError) as caught:
        await invoked(model_at(server), is_async)
    assert str(caught.value).startswith(f"{server.url}/v1/chat/completions answered 200{told}")
    assert type(caught.value) is ModelError


def test_key_that_an_error_in_an_answer_echoes_does_not_show() -> None:
    body = {"error": {"message": "Incorrect API key: sk-secret", "code": 401}}
    with saying(body) as server, pytest.raises(ModelAuthenticationError, match=r"Incorrect API key: \*\*\* ") as caught:
        model_at(server, api_key="sk-secret").invoke("hello")
    failure: BaseException | None = caught.value
    while failure:
        assert "sk-secret" not in f"{failure!r} {failure}"
        failure = failure.__cause__ or failure.__context__


WINDOWS = {
    "OpenAI, vLLM": "This model's maximum context length is 4096 tokens. However, you requested 4472 tokens.",
    "vLLM": "The decoder prompt (length 9254) is longer than the maximum model length of 4096. Make sure that …",
    "vLLM, newer": "You passed 9 input tokens. However, the model's context length is only 4 tokens, a maximum input …",
    "SGLang": "The input (61709 tokens) is longer than the model's context length (40960 tokens).",
    "SGLang, total": "Requested token count exceeds the model's maximum context length of 8192 tokens.",
    "SGLang, memory": "Input length (160062 tokens) exceeds the maximum allowed length (59862 tokens).",
    "llama.cpp": "the request exceeds the available context size, try increasing it",
    "TGI": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 9000 `inputs` tokens …",
    "TGI, input": "Input validation error: `inputs` must have less than 1024 tokens. Given: 2048",
}


@pytest.mark.parametrize("status", [200, 400, 422])
@pytest.mark.parametrize("of", WINDOWS)
def test_prompt_that_exceeds_the_window_is_known_as_such(of: str, status: int) -> None:
    body = {"error": {"message": WINDOWS[of], "type": "BadRequestError", "code": 400}}
    with saying(body, status=status) as server, pytest.raises(ModelInvalidRequestError) as caught:
        model_at(server).invoke("hello")
    assert is_overflow(caught.value)


@both
async def test_run_tries_again_where_an_error_that_comes_as_an_answer_may_pass(
    is_async: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "POLICY", retries.POLICY._replace(initial_interval=0.01))
    busy = {"error": {"message": "busy", "code": 503}}
    with saying(busy, busy, completion("many")) as server:
        rlm = create_rlm(model_at(server), router=Router(profile="direct"))
        out = await rlm.ainvoke(GIVEN) if is_async else rlm.invoke(GIVEN)
    assert out["answer"] == "many"
    assert out["usage"] == {"Qwen/Qwen3-8B": {"input_tokens": 7, "output_tokens": 2, "total_tokens": 9}}
    assert len(server.asked) == 3


# -- as a model of a run ----------------------------------------------------------------------------------------------


@both
async def test_it_answers_what_another_model_asks(is_async: bool) -> None:
    writes = ScriptedModel(cell("Final = llm_batch(['a', 'b'], max_tokens=50)"))
    with serving(lambda asked: Reply(completion(asked.body["messages"][-1]["content"]))) as server:
        rlm = create_rlm(writes, sub_model=model_at(server, **NO_THOUGHTS), router=Router(profile="rlm"))
        out = await rlm.ainvoke(GIVEN) if is_async else rlm.invoke(GIVEN)
    assert out["answer"] == ["a", "b"]
    assert {asked.body["max_tokens"] for asked in server.asked} == {50}
    assert out["usage"]["Qwen/Qwen3-8B"]["total_tokens"] == 18


def named(**settings: Any) -> GenericChatModel:
    return GenericChatModel.openai("http://host/v1", "qwen", **settings)


def test_caches_know_it_in_every_process() -> None:
    """Its functions have names: a copy, as another process has it, is the same to them."""
    model = named(api_key="sk", temperature=0)
    assert pickle.loads(pickle.dumps(model))._get_llm_string() == model._get_llm_string()
    assert model._get_llm_string() == named(api_key="sk", temperature=0)._get_llm_string()
    others = [named(api_key="sk"), named(api_key="sk", temperature=1), named(api_key="s", temperature=0)]
    others.append(model.model_copy(update={"model": "other"}))
    assert len({other._get_llm_string() for other in [model, *others]}) == 5


def test_name_of_a_copy_is_what_is_sent() -> None:
    with saying(completion()) as server:
        model_at(server).model_copy(update={"model": "other"}).invoke("hello")
    assert [asked.body["model"] for asked in server.asked] == ["other"]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"timeout": 0}, "greater than 0"),
        ({"headers": {"X Team": "rlm"}}, "'X Team': no name of a header has such characters"),
        ({"headers": {"X-Team: a\r\nX": "rlm"}}, "no name of a header has such characters"),
        ({"headers": {"": "rlm"}}, "no name of a header has such characters"),
        ({"api_key": "sk\n"}, "a line break"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_it_is(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        named(**settings)
