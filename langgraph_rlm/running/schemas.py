"""What a run takes, as a JSON schema: for Studio, MCP and others who call a graph over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from langchain_core.messages import AnyMessage
from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from langgraph_rlm.routes.profiles import Profile

QUERY = "The question."
TEXT = "What it is about: a text, several of them, or documents. A thread that has one goes on with that."
PROFILE = "Which way the question takes, for this run only."
MESSAGES = "A conversation in place of a query: its last message of a human is the question, and where there is no \
context, the conversation is what it is about."


class DocumentOfText(TypedDict, total=False):
    """A document, in LangChain's form."""

    page_content: str
    metadata: dict[str, Any]
    id: str | None


class Asked(TypedDict, total=False):
    query: Annotated[str, Field(description=QUERY, min_length=1)]
    context: Annotated[str | list[str] | list[DocumentOfText], Field(description=TEXT)]
    profile: Annotated[Profile, Field(description=PROFILE)]
    messages: Annotated[list[AnyMessage], Field(description=MESSAGES)]


def input_schema(name: str) -> dict[str, Any]:
    """The JSON schema of the input of a graph of that name."""
    schema = TypeAdapter(Asked).json_schema()
    schema["$defs"]["DocumentOfText"]["required"] = ["page_content"]
    return {**schema, "title": f"{name}Input", "anyOf": [{"required": ["query"]}, {"required": ["messages"]}]}
