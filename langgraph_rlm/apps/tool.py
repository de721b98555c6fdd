"""An RLM as a tool of an agent."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from langchain.tools import ToolRuntime
from langchain_core.documents import Document
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool, StructuredTool, ToolException
from pydantic import BaseModel, Field

from langgraph_rlm.answers.values import as_text
from langgraph_rlm.context import Context
from langgraph_rlm.errors import ContextError, InvalidInput

Text = str | Sequence[str | Document] | Context
Runtime = ToolRuntime[Any, Any]
TextOf = Callable[[Runtime], Text]
"""Gives the text of a call, from the agent's state, its store or its runtime context."""

NO_AGENT: Any = None
"""In place of a runtime, where a tool is called outside of an agent."""
Told = tuple[str, dict[str, Any]]
"""What the agent's model is told, and what is kept beside it."""

NO_ANSWER = "No answer was found within the limits of this tool."
KEPT = ("answer", "status", "usage", "steps", "subcalls", "citations", "verification", "profile", "route")
"""What of the output is the artifact of the message."""


class Question(BaseModel):
    question: str = Field(description="What is to be answered, in full: the one who answers knows nothing else.")


class QuestionAboutText(Question):
    text: str = Field(description="The whole text that the question is about. It may be of any length.")


def as_tool(rlm: Runnable[Any, Any], *, name: str, description: str, context: Text | TextOf | None = None) -> BaseTool:
    """An RLM as a LangChain tool, for `create_agent` and other agents.

    The agent gives a `question`, and a `text` where there is no `context` here. It is told the answer as text; the
    message's artifact has the output: answer, status, usage, citations and so on. The run is a part of the agent's:
    its interrupts, streams, checkpoints and callbacks are those of the agent.

    Args:
        rlm: What `create_rlm` gives. Leave its `checkpointer` out: the agent's keeps its runs.
        name: What the agent's model calls it by.
        description: What it is good for, for the agent's model: which text, which kinds of questions.
        context: What the questions are about, or a function of the agent's `ToolRuntime` that gives it.

    Raises:
        ContextError: The context cannot be one. What a call gives that cannot be used is told to the agent's model.
    """
    if inspect.iscoroutinefunction(context):
        raise ContextError("context is an async function: a function is needed that gives the text itself.")
    fixed = None if context is None or callable(context) else Context.of(context)
    if fixed is not None and fixed.empty:
        raise ContextError("The context is empty: there is nothing to answer questions from.")

    def asked(runtime: Runtime | None, question: str, text: str | None = None) -> dict[str, Any]:
        if callable(context) and runtime is None:
            raise InvalidInput("the text of this tool comes from an agent: it cannot be called outside of one.")
        return {"query": question, "context": context(runtime) if callable(context) and runtime else fixed or text}

    return tool_of(rlm, asked, name, description, QuestionAboutText if context is None else Question)


def tool_of(
    rlm: Runnable[Any, Any],
    asked: Callable[..., dict[str, Any]],
    name: str,
    description: str,
    arguments: type[BaseModel],
) -> BaseTool:
    """The tool that asks an RLM what `asked` makes of the agent's runtime, if there is one, and of the arguments."""

    def ask(runtime: Runtime = NO_AGENT, **given: Any) -> Told:
        try:
            return _told(rlm.invoke(asked(runtime, **given)))  # the config is that of the tool's run
        except (InvalidInput, ContextError) as failure:
            raise ToolException(str(failure)) from failure

    async def aask(runtime: Runtime = NO_AGENT, **given: Any) -> Told:
        try:
            return _told(await rlm.ainvoke(asked(runtime, **given)))
        except (InvalidInput, ContextError) as failure:
            raise ToolException(str(failure)) from failure

    return StructuredTool.from_function(
        ask,
        aask,
        name=name,
        description=description,
        args_schema=arguments,
        response_format="content_and_artifact",
        handle_tool_error=True,
    )


def _told(output: dict[str, Any]) -> Told:
    answer = output.get("answer")
    text = NO_ANSWER if answer is None and output.get("status") == "limit" else as_text(answer)
    return text, {key: output[key] for key in KEPT if key in output}
