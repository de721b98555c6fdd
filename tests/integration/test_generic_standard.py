"""LangChain's standard suite for chat models, on a `GenericChatModel`: in a form of its own, and in OpenAI's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from langgraph_rlm import GenericChatModel
from tests.servers import Asked, Reply, Server, serving


def build_payload(messages: list[BaseMessage], **parameters: Any) -> dict[str, Any]:
    return {"turns": [[message.type, message.text] for message in messages], "parameters": parameters}


def parse_response(body: dict[str, Any]) -> AIMessage:
    read, written = body["tokens"]
    usage = UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)
    return AIMessage(body["said"], usage_metadata=usage)


def answer(asked: Asked) -> Reply:
    if asked.path == "/v1/chat/completions":
        message = {"role": "assistant", "content": f"{len(asked.body['messages'])} turns"}
        usage = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
        return Reply({"model": "talker-1", "choices": [{"message": message, "finish_reason": "stop"}], "usage": usage})
    return Reply({"said": f"{len(asked.body['turns'])} turns", "tokens": [7, 2]})


class Generic:
    """What both suites are told of the model."""

    url = "http://127.0.0.1:9"

    @property
    def chat_model_class(self) -> type[GenericChatModel]:
        return GenericChatModel

    @property
    def chat_model_params(self) -> dict[str, Any]:
        functions = {"build_payload": build_payload, "parse_response": parse_response}
        return {"base_url": self.url, "path": "/talk", "model": "talker-1", **functions}

    has_tool_calling = False
    has_structured_output = False
    supports_json_mode = False


class TestUnit(Generic, ChatModelUnitTests):
    """Without a server."""


class Served(Generic, ChatModelIntegrationTests):
    """Over HTTP."""

    @pytest.fixture(autouse=True, scope="class")
    @staticmethod
    def _served(request: pytest.FixtureRequest) -> Iterator[Server]:
        with serving(answer) as server:
            request.cls.url = server.url
            yield server


class TestIntegration(Served):
    """In a form of its own."""


class TestOpenAI(Served):
    """In OpenAI's form."""

    @property
    def chat_model_params(self) -> dict[str, Any]:
        made = GenericChatModel.openai(f"{self.url}/v1", "talker-1")
        fields = ("base_url", "path", "model", "sends_model", "build_payload", "parse_response", "timeout")
        return {name: getattr(made, name) for name in fields}
