"""A conversation as a question and a text: between a human and a model, or among agents that hand it on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from langchain_core.documents import Document
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, ToolMessage

from langgraph_rlm.asking.messages import alternating
from langgraph_rlm.context import Context
from langgraph_rlm.context.files import clean

_HANDS_OFF = re.compile(
    r"(?:transfer|hand_?off|delegate|forward|switch|assign)(?:red)?(?:_back)?(?:_to_|_message$)", re.I
)
"""Names of tools by which agents hand a conversation on: those of `langgraph-supervisor` and `langgraph-swarm`, say."""
_MARKS = ("__handoff_destination", "__is_handoff_back")
"""What `langgraph-supervisor` writes beside such messages."""


def question_in(messages: Sequence[BaseMessage]) -> str | None:
    """What a conversation asks: its last message of a human, whatever others have said since."""
    return next((message.text for message in reversed(messages) if message.type == "human"), None)


def context_of_messages(messages: Sequence[BaseMessage]) -> Context:
    """The context that a conversation is: a document for each message, named by who said it."""
    said = [(message.name or message.type, clean(message.text)) for message in without_hand_offs(messages)]
    return Context.of([Document(text, metadata={"name": name}) for name, text in said])


def as_asked(messages: Sequence[BaseMessage], question: str) -> list[AnyMessage]:
    """A conversation as a model is sent it that has no tools, ending with the question."""
    said = without_hand_offs(messages)
    conversation: list[Any] = [_without_tools(message) for message in said]
    if not conversation or conversation[-1].type != "human" or clean(conversation[-1].text) != question:
        conversation.append(HumanMessage(question))
    # what a human has said stays as it is, with pictures: neighbours of one role are of our own making
    return alternating(conversation) if any(message.type == "tool" for message in said) else conversation


def without_hand_offs(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """A conversation without what agents say to hand it on, and without messages that only call tools."""
    calls = {call["id"]: call["name"] for message in messages for call in getattr(message, "tool_calls", ())}
    return [message for message in messages if not _is_hand_off(message, calls)]


def _is_hand_off(message: BaseMessage, calls: dict[str | None, str]) -> bool:
    if any(message.response_metadata.get(mark) for mark in _MARKS):
        return True
    if isinstance(message, ToolMessage):
        return _HANDS_OFF.match(message.name or calls.get(message.tool_call_id, "")) is not None
    return isinstance(message, AIMessage) and isinstance(message.content, str) and not message.content.strip()


def _without_tools(message: BaseMessage) -> BaseMessage:
    """A message without calls; what a tool has given is told as by a human."""
    if isinstance(message, ToolMessage):
        return HumanMessage(f"{message.name or 'A tool'}: {message.text}")
    if isinstance(message, AIMessage) and message.tool_calls:
        return AIMessage(message.text, name=message.name)
    return message
