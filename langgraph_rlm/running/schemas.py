"""What a run takes, as a JSON schema: for Studio, MCP and others who call a graph over HTTP."""

from __future__ import annotations

from typing import Any, get_args

from langgraph_rlm.routes.profiles import Profile

QUERY = "The question."
TEXT = "What it is about: a text, several of them, or documents. A thread that has one goes on with that."
PROFILE = "Which way the question takes, for this run only."
MESSAGES = (
    "A conversation in place of a query: its last message of a human is the question, and where there is no context, "
    "the conversation is what it is about."
)
METADATA = {"type": ["object", "null"]}
DOCUMENT = {
    "title": "Document",
    "description": "A document, in LangChain's form.",
    "type": "object",
    "properties": {"page_content": {"type": "string"}, "metadata": METADATA, "id": {"type": ["string", "null"]}},
    "required": ["page_content"],
}
SERIALIZED = {
    "title": "Serialized document",
    "description": "A document as LangChain's `dumpd` writes it.",
    "type": "object",
    "properties": {"type": {"const": "constructor"}, "kwargs": DOCUMENT},
    "required": ["type", "kwargs"],
}
CONTEXT = {
    "title": "Context",
    "description": "A `Context` as JSON.",
    "type": "object",
    "properties": {"text": {"type": "string"}, "metadata": {"type": "array", "items": {"type": "object"}}},
    "required": ["text", "metadata"],
}
MESSAGE = {"anyOf": [{"type": "object"}, {"type": "string"}, {"type": "array", "minItems": 2, "maxItems": 2}]}


def input_schema(name: str) -> dict[str, Any]:
    """The JSON schema of the input of a graph of that name."""
    items = {"type": "array", "items": {"anyOf": [{"type": "string"}, DOCUMENT, SERIALIZED]}}
    properties = {
        "query": {"description": QUERY, "type": ["string", "null"], "minLength": 1},
        "context": {"description": TEXT, "anyOf": [{"type": "string"}, items, CONTEXT, {"type": "null"}]},
        "profile": {"description": PROFILE, "enum": [*get_args(Profile), None]},
        "messages": {"description": MESSAGES, "anyOf": [{"type": "array", "items": MESSAGE}, {"type": "null"}]},
    }
    is_asked = [
        {"required": ["query"], "properties": {"query": {"type": "string"}}},
        {"required": ["messages"], "properties": {"messages": {"type": "array"}}},
    ]
    return {"title": f"{name}Input", "type": "object", "properties": properties, "anyOf": is_asked}
