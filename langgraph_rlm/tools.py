"""Tools: functions of the host that code in the REPL may call by their names.

The code sees a function with the tool's signature. A call of it leaves the sandbox as the tool's name and plain data,
is bound to the tool's parameters, and becomes a task of the graph.
"""

from __future__ import annotations

import inspect
import keyword
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import ToolCall, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from langchain_core.tools import tool as as_tool
from langgraph.errors import GraphBubbleUp
from pydantic import BaseModel, TypeAdapter

from langgraph_rlm.calls import Gate
from langgraph_rlm.errors import InvalidInput
from langgraph_rlm.values import plain

READ_ONLY = ("read_only", "readOnlyHint")
"""In a tool's `metadata`, what says that it changes nothing; the latter is MCP's word."""
_TYPES = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "array": "list", "object": "dict"}


@dataclass(frozen=True)
class Tool:
    """A LangChain tool as code in the REPL may use it; `parameters` are JSON schemas by name, in order."""

    tool: BaseTool
    parameters: Mapping[str, Mapping[str, Any]]
    required: frozenset[str]

    @property
    def name(self) -> str:
        return self.tool.name

    @property
    def is_read_only(self) -> bool:
        """Whether it may be called before the code comes to it: it changes nothing."""
        return any((self.tool.metadata or {}).get(mark) is True for mark in READ_ONLY)

    @property
    def is_async(self) -> bool:
        """Whether it can be awaited alone."""
        return getattr(self.tool, "func", self) is None

    def aliased(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments by the names under which the tool's schema reads them."""
        fields = getattr(self.tool.args_schema, "model_fields", {})
        aliases = {name: field.validation_alias for name, field in fields.items()}
        return {
            alias if isinstance(alias := aliases.get(name), str) else name: value for name, value in arguments.items()
        }

    @property
    def signature(self) -> str:
        """How it is called, such as `weather(city: str, days: int = 1) -> str`."""
        return f"{self.name}({', '.join(map(self._parameter, self.parameters))})"

    def _parameter(self, name: str) -> str:
        schema = self.parameters[name]
        typed = f"{name}: {_type(schema)}"
        return typed if name in self.required else f"{typed} = {schema.get('default')!r}"

    def bound(self, positional: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of a call by the names of the parameters, as plain data.

        Raises:
            TypeError: They do not fit the signature, or are no data.
        """
        if len(positional) > len(self.parameters):
            raise TypeError(f"{self.signature} takes {len(self.parameters)} arguments, not {len(positional)}")
        arguments = dict(zip(self.parameters, positional, strict=False))
        for name, value in named.items():
            if name not in self.parameters:
                raise TypeError(f"{self.signature} has no parameter {name!r}")
            if name in arguments:
                raise TypeError(f"{self.signature} got {name!r} twice")
            arguments[name] = value
        if missing := [name for name in self.parameters if name in self.required and name not in arguments]:
            raise TypeError(f"{self.signature} needs {', '.join(missing)}")
        return {name: plain(value) for name, value in arguments.items()}


class ToolFailed(Exception):
    """A tool has failed: with the error that the message has in words. Whatever that is, it is none of this run's."""


@contextmanager
def _failing_in_words() -> Iterator[None]:
    try:
        yield
    except GraphBubbleUp:
        raise
    except Exception as failure:
        raise ToolFailed(f"{type(failure).__name__}: {failure}") from failure


@dataclass(frozen=True)
class Use:
    """The effect of calling a tool. Its result is what the tool gives, as plain data.

    It takes a place in the gate, as a model call does. Nothing is tried again: a tool may have done its work when it
    fails.

    Raises:
        LimitExceeded: The tokens or seconds of the run are spent.
        ToolFailed: The tool fails.
    """

    tool: Tool
    arguments: Mapping[str, Any]
    gate: Gate
    config: RunnableConfig

    def run(self) -> Any:
        with self.gate.threads:
            self.gate.ledger.check()
            with _failing_in_words():
                return _value(self.tool.tool.invoke(self._input, self.config))

    async def arun(self) -> Any:
        async with self.gate.tasks:
            self.gate.ledger.check()
            with _failing_in_words():
                return _value(await self.tool.tool.ainvoke(self._input, self.config))

    @property
    def _input(self) -> Any:
        """The arguments; as a message asks for them where the value may be in what comes beside the content."""
        arguments, tool = self.tool.aliased(self.arguments), self.tool.tool
        if tool.response_format == "content":
            return arguments
        return ToolCall(type="tool_call", name=tool.name, args=arguments, id="")


def _value(result: Any) -> Any:
    """What a tool gives, as plain data. MCP's structured content is the value, where a server sends it."""
    if not isinstance(result, ToolMessage):
        return plain(result, lenient=True)
    beside = result.artifact.get("structured_content") if isinstance(result.artifact, dict) else None
    if isinstance(beside, dict):
        return plain(beside["result"] if beside.keys() == {"result"} else beside, lenient=True)
    blocks = result.content if isinstance(result.content, list) else []
    texts = [text for block in blocks if (text := _text_of(block)) is not None]
    if blocks and len(texts) == len(blocks):
        return plain("\n".join(texts))
    return plain(result.content, lenient=True)


def _text_of(block: object) -> str | None:
    match block:
        case {"type": "text", "text": str(text)}:
            return text
    return None


def tools_of(given: Sequence[BaseTool | Callable[..., Any]], taken: Sequence[str]) -> dict[str, Tool]:
    """The tools by name. `taken` are names that the REPL has.

    Raises:
        InvalidInput: One cannot be called from code, or has a name that cannot be used.
    """
    if not isinstance(given, Iterable):
        raise InvalidInput(f"tools={given!r}: a list is needed, of LangChain tools and functions.")
    tools: dict[str, Tool] = {}
    for item in given:
        tool = _read(item)
        if not tool.name.isidentifier() or keyword.iskeyword(tool.name) or tool.name.startswith("_"):
            raise InvalidInput(f"the tool {tool.name!r} cannot be called by that name in Python: rename it.")
        if tool.name in taken:
            raise InvalidInput(f"the REPL has a {tool.name!r} of its own: give the tool another name.")
        if tool.name in tools:
            raise InvalidInput(f"two tools are named {tool.name!r}: rename one.")
        tools[tool.name] = tool
    return tools


def _read(item: BaseTool | Callable[..., Any]) -> Tool:
    if not isinstance(item, BaseTool):
        if not callable(item):
            raise InvalidInput(f"tools: {item!r} is neither a LangChain tool nor a function.")
        if not inspect.getdoc(item) or not getattr(item, "__name__", None) or item.__name__ == "<lambda>":
            raise InvalidInput(f"tools: {item!r} needs a name and a docstring: they are what the model is shown of it.")
        item = as_tool(item)
    shown = item.tool_call_schema
    schema = shown if isinstance(shown, dict) else TypeAdapter(shown).json_schema()
    parameters = schema.get("properties", {})
    item = item.model_copy(update={"handle_tool_error": False, "handle_validation_error": False})  # code catches errors
    own = item.args_schema
    if isinstance(own, type) and issubclass(own, BaseModel) and (hidden := set(own.model_fields) - set(parameters)):
        raise InvalidInput(
            f"the tool {item.name!r} has arguments that an agent injects, which are not there in an RLM: "
            f"{', '.join(sorted(hidden))}. Leave them out, or bind them."
        )
    return Tool(item, parameters, frozenset(schema.get("required", ())))


def _type(schema: Mapping[str, Any]) -> str:
    """The type of a parameter, as Python writes it."""
    if "enum" in schema:
        return f"Literal[{', '.join(map(repr, schema['enum']))}]"
    if "anyOf" in schema:
        return " | ".join(_type(choice) for choice in schema["anyOf"])
    if schema.get("type") == "array" and "items" in schema:
        return f"list[{_type(schema['items'])}]"
    return "None" if schema.get("type") == "null" else _TYPES.get(schema.get("type", ""), "Any")
