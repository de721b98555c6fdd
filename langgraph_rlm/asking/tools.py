"""Tools: functions of the host that code in the REPL may call by their names.

The code sees a function with the tool's signature. A call of it leaves the sandbox as the tool's name and plain data,
is bound to the tool's parameters, and becomes a task of the graph.
"""

from __future__ import annotations

import inspect
import keyword
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from langchain_core.messages import ToolCall, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from langchain_core.tools import Tool as ToolOfOneText
from langgraph.errors import GraphBubbleUp
from pydantic import TypeAdapter

from langgraph_rlm.answers.values import plain
from langgraph_rlm.asking.model_calls import Gate
from langgraph_rlm.errors import InvalidInput

MOST_NESTED, MOST_SIGNATURE = 3, 2_000
"""Types in each other that a signature spells out, where they have names, and its characters with these."""
READ_ONLY = ("read_only", "readOnlyHint")
"""In a tool's `metadata`, what says that it changes nothing; the latter is MCP's word."""
_TYPES = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "array": "list",
    "object": "dict",
    "null": "None",
}


@dataclass(frozen=True)
class Tool:
    """A LangChain tool as code in the REPL may use it."""

    tool: BaseTool
    parameters: tuple[str, ...]
    required: frozenset[str]
    signature: str
    """How it is called, such as `weather(city: str, days: int = 1)`."""
    description: str
    """What it does, and what its arguments are where it tells."""

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

    def by_alias(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments by the names under which the tool's schema reads them."""
        fields = getattr(self.tool.args_schema, "model_fields", {})
        aliases = {name: field.validation_alias for name, field in fields.items()}
        return {
            alias if isinstance(alias := aliases.get(name), str) else name: value for name, value in arguments.items()
        }

    def bind(self, positional: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
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
class CallTool:
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
        arguments, tool = self.tool.by_alias(self.arguments), self.tool.tool
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
    if isinstance(given, str | BaseTool) or not isinstance(given, Iterable):
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
        item = _made(item)
    schema = _schema(item)
    parameters = schema.get("properties", {})
    own = getattr(item.get_input_schema() if item.args_schema is None else item.args_schema, "model_fields", {})
    if not _takes_one_text(item) and (hidden := set(own) - set(parameters)):
        raise InvalidInput(
            f"the tool {item.name!r} has arguments that an agent injects, which are not there in an RLM: "
            f"{', '.join(sorted(hidden))}. Leave them out, or bind them."
        )
    item = item.model_copy(update={"handle_tool_error": False, "handle_validation_error": False})  # code catches errors
    told = [f"  - {name}: {about['description']}" for name, about in parameters.items() if about.get("description")]
    description = "\n".join([inspect.cleandoc(item.description), *told])
    required = frozenset(schema.get("required", ()))
    return Tool(item, tuple(parameters), required, _signature(item.name, schema), description)


def _made(function: Callable[..., Any]) -> BaseTool:
    """A function as a LangChain tool, which calls it with its arguments by their names."""
    from langchain_core.tools import tool as as_tool

    try:
        kinds = {parameter.kind for parameter in inspect.signature(function).parameters.values()}
        made = as_tool(function)
    except Exception as error:  # annotations may raise anything
        raise InvalidInput(f"tools: {function!r} cannot be read ({error}).") from error
    if kinds & {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL}:
        raise InvalidInput(f"tools: {function!r} has arguments without names: no `/` and no `*args`.")
    return made


def _takes_one_text(tool: BaseTool) -> bool:
    """Whether it is of LangChain's oldest kind, which has no schema: what it calls with may be named anything."""
    return isinstance(tool, ToolOfOneText) and tool.args_schema is None


def _schema(tool: BaseTool) -> Mapping[str, Any]:
    """The JSON schema of a tool's arguments."""
    if _takes_one_text(tool):
        return {"properties": tool.args, "required": [*tool.args]}
    shown = tool.tool_call_schema
    return shown if isinstance(shown, dict) else TypeAdapter(shown).json_schema()


def _signature(name: str, schema: Mapping[str, Any]) -> str:
    """How a tool is called, with types that have names spelled out as deep as there is room for."""
    parameters, required = schema.get("properties", {}), schema.get("required", ())
    named = {**schema.get("definitions", {}), **schema.get("$defs", {})}
    deeper = (f"{name}({_parameters(parameters, required, named, depth)})" for depth in range(MOST_NESTED + 1))
    return [next(deeper), *takewhile(lambda form: len(form) <= MOST_SIGNATURE, deeper)][-1]


def _parameters(
    schemas: Mapping[str, Mapping[str, Any]], required: Collection[str], named: Mapping[str, Any], room: int
) -> str:
    """Parameters as Python writes them, from their JSON schemas by name."""
    return ", ".join(
        f"{name}: {_type(schema, named, room)}" + ("" if name in required else f" = {schema.get('default')!r}")
        for name, schema in schemas.items()
    )


def _type(schema: Mapping[str, Any], named: Mapping[str, Any], room: int) -> str:
    """The type of a parameter, as Python writes it. References lead to `named`, and `room` ends those in a circle."""
    if "$ref" in schema:
        return _type(named.get(schema["$ref"].rpartition("/")[2], {}), named, room - 1) if room else "Any"
    if "enum" in schema:
        return f"Literal[{', '.join(map(repr, schema['enum']))}]"
    if "const" in schema:
        return f"Literal[{schema['const']!r}]"
    if "anyOf" in schema:
        return " | ".join(_type(choice, named, room) for choice in schema["anyOf"])
    if schema.get("type") == "array" and "items" in schema:
        return f"list[{_type(schema['items'], named, room)}]"
    if schema.get("properties"):
        return f"dict({_parameters(schema['properties'], schema.get('required', ()), named, room)})"
    kinds = schema.get("type", "")
    return " | ".join(_TYPES.get(kind, "Any") for kind in ([kinds] if isinstance(kinds, str) else kinds))
