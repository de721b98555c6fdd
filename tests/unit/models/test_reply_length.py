"""The bound of a reply, as each provider's chat model takes it: the payload that it would send has it."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import BaseChatModel
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_ollama import ChatOllama
from langchain_openai import AzureChatOpenAI, ChatOpenAI
from langchain_openai.chat_models.base import BaseChatOpenAI
from pydantic import SecretStr

from langgraph_rlm import GenericChatModel
from langgraph_rlm.models.reply_length import bounded_reply
from tests.fakes import ScriptedModel

KEY = SecretStr("key")
AZURE: dict[str, Any] = {"azure_endpoint": "https://host", "api_version": "1", "api_key": KEY, "azure_deployment": "a"}


def openai_payload(model: Any, options: dict[str, Any]) -> dict[str, Any]:
    payload: dict[str, Any] = model._get_request_payload([("human", "Hi.")], **options)
    return payload


def google_payload(model: Any, options: dict[str, Any]) -> dict[str, Any]:
    payload: dict[str, Any] = model._prepare_params(None, **options).model_dump()
    return payload


def ollama_payload(model: Any, options: dict[str, Any]) -> dict[str, Any]:
    payload: dict[str, Any] = model._chat_params([], **options)["options"]
    return payload


@pytest.mark.parametrize("own", [None, 9, 4_000])
@pytest.mark.parametrize(
    ("make", "payload", "keyword"),
    [
        (lambda **own: ChatOpenAI(model="m", api_key=KEY, **own), openai_payload, "max_completion_tokens"),
        (
            lambda **own: ChatOpenAI(model="m", api_key=KEY, use_responses_api=True, **own),
            openai_payload,
            "max_output_tokens",
        ),
        (lambda **own: AzureChatOpenAI(**AZURE, **own), openai_payload, "max_completion_tokens"),
        (lambda **own: BaseChatOpenAI(model="m", api_key=KEY, **own), openai_payload, "max_tokens"),
        (lambda **own: ChatAnthropic(**{"model": "m", "api_key": KEY, **own}), openai_payload, "max_tokens"),
        (lambda **own: ChatGoogleGenerativeAI(model="m", api_key=KEY, **own), google_payload, "max_output_tokens"),
        (lambda **own: ChatOllama(model="m", num_predict=own.get("max_tokens")), ollama_payload, "num_predict"),
    ],
    ids=["openai", "responses", "azure", "compatible", "anthropic", "google", "ollama"],
)
def test_payload_has_the_smaller_of_both_bounds(make: Any, payload: Any, keyword: str, own: int | None) -> None:
    model: BaseChatModel = make(**({} if own is None else {"max_tokens": own}))
    sent = payload(model, bounded_reply(model, 50))
    assert sent[keyword] == min(50, own or 50)
    bounds = {name: value for name, value in sent.items() if value is not None and ("max_" in name or "num_p" in name)}
    assert [*bounds] == [keyword]


def test_other_options_of_ollama_are_sent_as_before() -> None:
    fields = {"num_ctx": 8_192, "temperature": 0.5, "seed": 1, "mirostat": 1, "mirostat_eta": 0.1, "mirostat_tau": 2.0}
    more = {"num_gpu": 1, "num_thread": 2, "repeat_last_n": 3, "repeat_penalty": 1.1, "tfs_z": 1.0, "top_k": 4}
    model = ChatOllama(model="m", stop=["x"], top_p=0.9, **fields, **more)  # type: ignore[arg-type]
    before = ollama_payload(model, {})
    assert ollama_payload(model, bounded_reply(model, 50)) == before | {"num_predict": 50}
    assert len(before) == len(fields) + len(more) + 2


def generic(build_payload: Any, **settings: Any) -> GenericChatModel:
    return GenericChatModel(
        base_url="http://host", path="/", build_payload=build_payload, parse_response=str, **settings
    )


@pytest.mark.parametrize(
    ("model", "options"),
    [
        (generic(lambda messages, max_output_tokens=None: {}), {"max_output_tokens": 50}),
        (generic(lambda messages, **parameters: {}), {"max_tokens": 50}),
        (generic(lambda messages, **parameters: {}, max_new_tokens=20), {"max_new_tokens": 20}),
        (generic(lambda messages, temperature=0: {}), {}),
        (ScriptedModel(), {"max_tokens": 50}),
    ],
)
def test_models_of_ones_own_get_what_they_take(model: BaseChatModel, options: dict[str, Any]) -> None:
    assert bounded_reply(model, 50) == options
