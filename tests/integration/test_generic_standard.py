"""LangChain's standard suite for chat models, on a `GenericChatModel` before a server of a form of its own."""

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


class TestIntegration(Generic, ChatModelIntegrationTests):
    """Over HTTP."""

    @pytest.fixture(autouse=True, scope="class")
    @staticmethod
    def _served(request: pytest.FixtureRequest) -> Iterator[Server]:
        with serving(answer) as server:
            request.cls.url = server.url
            yield server
