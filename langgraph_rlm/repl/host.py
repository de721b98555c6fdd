"""The host's side of the calls that leave the sandbox.

The arguments come from code that may be hostile: what is not of the expected form is answered with an error in the
sandbox, and no answer depends on anything but the context, the clock and what is passed here.
"""

from __future__ import annotations

import datetime
import re
import time
from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import Any

from pydantic_monty import ExcType, ExternalExceptionData, ExternalSettledResult, FunctionSnapshot

from langgraph_rlm.answers.citations import locate, place
from langgraph_rlm.answers.schema import checked_schema
from langgraph_rlm.asking.requests import Answer, Call, Request
from langgraph_rlm.asking.tools import Tool
from langgraph_rlm.context import Context
from langgraph_rlm.repl import gaps, modules, places, standard
from langgraph_rlm.repl.boilerplate import compact
from langgraph_rlm.repl.capabilities import NO_CAPABILITIES, Capabilities
from langgraph_rlm.repl.cells import Variable
from langgraph_rlm.repl.patterns import MOST_PATTERN, translated
from langgraph_rlm.repl.python.answers import ERROR
from langgraph_rlm.repl.rewriting.bridges import HELPERS, rewritten

MOST_CHUNKS = 1_000_000
MOST_TOKENS = 10_000_000
SMALL_GROUP = {"characters": 20_000, "items": 20}
"""What `llm_map` has a model read at once where nobody knows how much it can read; it always did so once."""
MOST_GROUPED, MOST_ITEMS = 200_000, 100
"""Characters and items that it has a model read at once: each item has to have an answer in one reply."""

HostResult = ExternalSettledResult
"""What a suspended session is resumed with: `return_value`, or `exc_type` and `message`."""
NOTHING: HostResult = {"return_value": None}
NATIVE = ("_operations", "_forms", "_ending", "_grep", "_additions.collections.abc", "typing", "asyncio")
"""Modules that need nothing which Monty lacks, or Monty's own of that name."""
TAKEN = {
    "chunk": "ctx.chunk(size, overlap=0) takes whole numbers of characters",
    "cut": "size and overlap are whole numbers of characters",
    "grep": "grep(pattern, context=80, most=20) takes whole numbers for context and most",
    "get_document": "ctx.get_document(i) takes the number of a document, from 0",
    "find": "ctx.find(needle, start=0, end=None) takes a str and whole numbers",
    "slice": "ctx.slice(start, end) takes whole numbers",
}
"""What is said of calls for a part of the text whose arguments are others."""
MARK = "_at"
"""The call that tells where a cell is."""


def answer(
    snapshot: FunctionSnapshot,
    context: Context,
    variables: tuple[Variable, ...],
    capabilities: Capabilities = NO_CAPABILITIES,
    budget: Callable[[], Mapping[str, Any]] = dict,
) -> HostResult | Call:
    """The result of a call that leaves the sandbox, or the `Call` that the graph has to answer."""
    if snapshot.function_name == MARK:
        return NOTHING
    if not snapshot.is_os_function and snapshot.function_name != "_host":
        return raising("NameError", f"name {snapshot.function_name!r} is not defined")
    arguments = _arguments(snapshot)
    if arguments is None:
        return raising("TypeError", "the arguments are no plain data")
    if snapshot.is_os_function:
        return _system(snapshot.function_name, arguments)
    match arguments:
        case (
            "ask",
            ("llm" | "rlm") as kind,
            list(prompts),
            model,
            bool(batch),
            schema,
            bool(first),
            (int() | None) as most,
        ) if all(map(_is_prompt, prompts)) and not (first and schema is not None):
            if model is not None and (not isinstance(model, str) or model not in capabilities.models):
                return _no_model(model, capabilities.models)
            try:
                schema = None if schema is None else checked_schema(schema)
            except (TypeError, ValueError) as error:
                return raising("ValueError", str(error))
            if most is not None and not 0 < most < MOST_TOKENS:
                return raising("ValueError", f"max_tokens must be a whole number from 1 to {MOST_TOKENS - 1:,}")
            requests = [Request(kind, prompt, about, model, schema, max_tokens=most) for prompt, about in prompts]
            return Call(requests, batch, first) if requests else {"return_value": []}
        case ("tool", str(name), list(calls), bool(batch)) if all(map(_is_arguments, calls)):
            return _tool_call(name, calls, batch, capabilities.tools)
        case ("context", str(name), list(passed)):
            return _read_context(context, name, passed)
        case ("module", str(name)) if name in modules.names():
            return {"return_value": _source(name)}
        case ("standard", str(name), list(passed)):
            return _standard(name, passed)
        case ("pattern", str(pattern), int(flags)):
            return _translate(pattern, flags)
        case ("patterns", list(patterns)) if all(map(_is_pattern, patterns)):
            return _translate_some(patterns)
        case ("group", (str() | None) as model):
            return {"return_value": _group(model, capabilities)}
        case ("budget",):
            return {"return_value": dict(budget())}
        case ("show_vars",):
            return {"return_value": "\n".join(map(str, describe(variables))) or "no variables yet"}
    return raising("TypeError", "no such call")


def load(snapshot: FunctionSnapshot) -> HostResult:
    """The result of a call that asks for a module, and may ask for nothing else."""
    match snapshot.function_name == "_host" and _arguments(snapshot):
        case ("module", str(name)) if name in modules.names():
            return {"return_value": _source(name)}
    return raising("RuntimeError", "no calls between cells")


@cache
def _source(name: str) -> str:
    """A module as a cell would be. Those that cells call, native and quick ones are written for Monty as it is."""
    source = modules.source(name)
    return source if name in (*HELPERS, *NATIVE, *QUICK) else rewritten(source).code


def _group(model: str | None, capabilities: Capabilities) -> dict[str, int]:
    """How much `llm_map` has a model read at once."""
    is_known = model is None or model in capabilities.models
    characters = capabilities.comfortable(model) if is_known else None
    if characters is None:
        return SMALL_GROUP
    characters = min(characters, MOST_GROUPED)
    return {"characters": characters, "items": min(max(SMALL_GROUP["items"], characters // 1_000), MOST_ITEMS)}


def _no_model(name: object, models: Collection[str]) -> HostResult:
    known = f"choose one of {', '.join(models)}" if models else "leave `model` out"
    return raising("ValueError", f"there is no model named {name!r}: {known}")


def _tool_call(name: str, calls: list[Any], batch: bool, tools: Mapping[str, Tool]) -> HostResult | Call:
    if name not in tools:
        return raising("NameError", f"the tool {name!r} is not there any more")
    try:
        requests = [Request("tool", name, arguments=tools[name].bind(*arguments)) for arguments in calls]
    except TypeError as error:
        return raising("TypeError", str(error))
    return Call(requests, batch) if requests else {"return_value": []}


def _read_context(context: Context, name: str, arguments: list[Any]) -> HostResult:
    try:
        match name, arguments:
            case "get_document", [int(i)]:
                return {"return_value": context.get_document(i)}
            case "documents", []:
                return {"return_value": list(context.documents())}
            case "slice", [(int() | None) as start, (int() | None) as end]:
                return {"return_value": context.text[start:end]}
            case "find", [str(needle), int(start), (int() | None) as end]:
                return {"return_value": context.find(needle, start, end)}
            case "grep", [str(needle), int(around), int(most)] if needle:
                return {"return_value": places.found(needle, around, most, context)}
            case "piece", [int(at), int(size), int(behind), int(ahead)] if size > 0 <= behind and ahead >= 0:
                return {"return_value": places.piece(at, size, behind, ahead, context)}
            case "places", [list(spans), int(around)] if all(_is_span(span, len(context)) for span in spans):
                return {"return_value": places.places(spans, around, context)}
            case "compact", [str(text)]:
                return {"return_value": compact(text)}
            case "cite", [str(quote)]:
                return {"return_value": place(*locate(quote, context), context)}
            case "chunk", [int(size), int(overlap)]:
                if 0 <= overlap < size and len(context) // (size - overlap) > MOST_CHUNKS:
                    return raising("ValueError", f"more than {MOST_CHUNKS:,} chunks: choose a larger size")
                return {"return_value": context.chunk(size, overlap)}
            case "cut", [str(text), int(size), int(overlap)]:
                return _read_context(Context.of(text), "chunk", [size, overlap])
    except (IndexError, ValueError) as error:
        return raising("IndexError" if isinstance(error, IndexError) else "ValueError", str(error))
    return raising("TypeError", TAKEN.get(name, f"ctx.{name:.80} takes other arguments"))


def _standard(name: str, arguments: list[Any]) -> HostResult:
    try:
        return {"return_value": standard.call(name, arguments)}
    except standard.Refused as refusal:
        return raising(refusal.kind, str(refusal))


def _translate(pattern: str, flags: int) -> HostResult:
    """A regular expression as the sandbox's `re` needs it, or what is wrong with it."""
    try:
        return {"return_value": translated(pattern, flags)}
    except re.error as failure:
        return {"return_value": {"error": str(failure)}}
    except (ValueError, OverflowError) as failure:
        return raising("ValueError", str(failure))


def _translate_some(patterns: list[Any]) -> HostResult:
    """The first of these as they are needed, None for one that cannot be told: at least one, so many as go together."""
    found, room = list[Any](), MOST_PATTERN
    for pattern, flags in patterns:
        if found and len(pattern) > room:
            break
        room -= len(pattern) + 1
        found.append(_translate(pattern, flags).get("return_value"))
    return {"return_value": found}


QUICK = ("re", "urllib.parse", "xml.etree.ElementTree")
"""Modules whose functions are called for each of many small things."""
PURE = (("context",), ("module",), ("standard",), ("pattern",), ("patterns",))
"""Calls that ask for a part of the text, a module, patterns or a pure function."""


def can_be_repeated(snapshot: FunctionSnapshot) -> bool:
    """Whether the answer to a call can be worked out again."""
    return snapshot.function_name == MARK or _is_import(snapshot) or is_worked_out(snapshot)


def _is_import(snapshot: FunctionSnapshot) -> bool:
    return snapshot.is_os_function and snapshot.function_name == "import"


def asks_for_group(snapshot: FunctionSnapshot) -> bool:
    """Whether a call asks how much `llm_map` has a model read at once."""
    return snapshot.function_name == "_host" and (_arguments(snapshot) or ())[:1] == ("group",)


def is_worked_out(snapshot: FunctionSnapshot) -> bool:
    """Whether the host works the answer out, of what is passed and the text alone."""
    return snapshot.function_name == "_host" and (_arguments(snapshot) or ())[:1] in PURE


def line_of(snapshot: FunctionSnapshot) -> int | None:
    """The line of the cell where a statement begins, where a call tells it."""
    match snapshot.function_name == MARK and _arguments(snapshot):
        case (int(line),):
            return line
    return None


def _arguments(snapshot: FunctionSnapshot) -> tuple[Any, ...] | None:
    """What the code has passed, or None where the host cannot hold it: an instance as the key of a dict."""
    try:
        return snapshot.args
    except TypeError:
        return None


def raising(kind: ExcType, message: str) -> ExternalExceptionData:
    return {"exc_type": kind, "message": message}


def _is_prompt(prompt: object) -> bool:
    match prompt:
        case [str(), None | str()]:
            return True
    return False


def _is_span(span: object, length: int) -> bool:
    match span:
        case [int(start), int(end)]:
            return 0 <= start < end <= length
    return False


def _is_pattern(wanted: object) -> bool:
    match wanted:
        case [str(), int()]:
            return True
    return False


def _is_arguments(arguments: object) -> bool:
    match arguments:
        case [list(), dict() as named]:
            return all(isinstance(name, str) for name in named)
    return False


def result_of(answers: list[Answer], batch: bool) -> HostResult:
    """What the code gets for its call: values, with errors as text in a batch, and raised where it asked one prompt."""
    failed = next((answer.error for answer in answers if answer.error is not None), None)
    if failed is not None and not batch:
        return raising("RuntimeError", failed)
    return {"return_value": [answer.value if answer.error is None else f"{ERROR}{answer.error}" for answer in answers]}


def _system(name: str, arguments: tuple[Any, ...]) -> HostResult:
    """Clocks are answered; the rest of the system is not there."""
    match name:
        case "time.time":
            return {"return_value": time.time()}
        case "datetime.now":
            return {"return_value": datetime.datetime.now(arguments[0] if arguments else None)}
        case "date.today":
            return {"return_value": datetime.date.today()}
        case "system.sleep":
            return {"return_value": None}
        case "import":
            return raising("ModuleNotFoundError", gaps.module_missing(str(arguments[0]) if arguments else ""))
    return raising("PermissionError", f"{name}: there are no files and no system here. The text is in P.")


def describe(variables: tuple[Variable, ...]) -> list[str]:
    """A line for each variable: name, type, size."""
    return [f"{v.name}: {v.type}" + (f" ({v.size:,})" if v.size is not None else "") for v in variables]
