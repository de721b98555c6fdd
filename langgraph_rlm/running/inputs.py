"""What a run is asked: checked before anything is stored or paid for, and as the state keeps it."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import BaseMessage, convert_to_messages
from langgraph.types import Command

from langgraph_rlm.context import Context
from langgraph_rlm.context.digests import context_id_of
from langgraph_rlm.context.files import clean
from langgraph_rlm.errors import ContextError, InvalidInput
from langgraph_rlm.langgraph_internals import get_cached_annotated_keys, get_update_as_tuples
from langgraph_rlm.running.conversations import question_in
from langgraph_rlm.settings import checked_profile

ASKS_BY = ("query", "context", "profile", "messages")
"""What a run takes of its input; other keys are the app's own."""


def prepare_input(input: Any) -> Any:
    """The input as it is stored: checked, with the context in plain types. `None` and commands pass through.

    A state that is a Pydantic model, a dataclass or another object with annotations is read as LangGraph reads it.

    Raises:
        InvalidInput: The question, the context or the profile cannot be used.
    """
    if input is None or isinstance(input, Command):
        return input
    if not isinstance(input, dict):
        if not get_cached_annotated_keys(type(input)):
            raise InvalidInput(
                f"the input is of type {type(input).__name__}: a dict with `query` and `context` is needed."
            )
        input = dict(get_update_as_tuples(input, ASKS_BY))
    prepared = {key: value for key, value in input.items() if value is not None}
    if "messages" in prepared:
        prepared["messages"] = checked_messages(prepared["messages"], is_query="query" not in prepared)
    if "query" in prepared or "messages" not in prepared:
        prepared["query"] = checked_query(prepared.get("query"))
    if "profile" in prepared:
        prepared["profile"] = checked_profile(prepared["profile"])
    if "context" in prepared:
        context = Context.of(prepared["context"])
        if context.empty:
            raise ContextError("The context is empty: there is nothing to answer the question from.")
        prepared["context"] = [stored(context)]
    return prepared


def check_thread(values: dict[str, Any]) -> None:
    """Raises `ContextError` where neither the input nor the thread has a text."""
    if not values.get("context") and not values.get("messages"):
        raise missing_context()


def missing_context() -> ContextError:
    return ContextError("There is no context: give `context` (a str, a list, Documents or Context.from_files(…)).")


def checked_messages(messages: Any, is_query: bool) -> list[BaseMessage]:
    """The messages of a chat; the last one from a human is the query where there is no other."""
    try:
        conversation = convert_to_messages(messages if isinstance(messages, list) else [messages])
    except (NotImplementedError, ValueError, TypeError) as error:
        raise InvalidInput(f"messages cannot be read: {error}") from error
    if is_query:
        question = question_in(conversation)
        if question is None:
            raise InvalidInput("There is no question: give `query`, or `messages` with one from a human.")
        checked_query(question)
    return conversation


def checked_query(query: object) -> str:
    """`query`, if it is a question that can be asked."""
    if not isinstance(query, str):
        raise InvalidInput(f"query is of type {type(query).__name__}: a str is needed, the question to answer.")
    if not query.strip():
        raise InvalidInput("query is empty: say what is to be answered.")
    return clean(query)


def stored(context: Context) -> dict[str, Any]:
    """A context as the state keeps it, under its name."""
    [state] = context.to_state()
    return {**state, "id": context_id_of(context)}
