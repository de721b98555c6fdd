"""A chat model that costs nothing, so that what is measured is the graph around it."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, SystemMessage
from langchain_core.outputs import ChatGeneration, ChatResult


class ScriptedModel(BaseChatModel):
    """Writes `cell` for an RLM, `child_cell` for one whose question is that of a child, and answers every other prompt
    with one word after `latency` seconds."""

    cell: str
    child_cell: str = ""
    latency: float = 0.0

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        if not self._is_root(messages):
            time.sleep(self.latency)
        return self._result(messages)

    async def _agenerate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        if self.latency and not self._is_root(messages):
            await asyncio.sleep(self.latency)
        return self._result(messages)

    def _is_root(self, messages: list[BaseMessage]) -> bool:
        return isinstance(messages[0], SystemMessage)

    def _result(self, messages: list[BaseMessage]) -> ChatResult:
        text = "yes"
        if self._is_root(messages):
            is_child = len(messages) > 1 and "Question: child" in messages[1].text
            text = f"```repl\n{self.child_cell if is_child else self.cell}\n```"
        return ChatResult(generations=[ChatGeneration(message=AIMessage(text))])
