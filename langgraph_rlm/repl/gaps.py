"""What to write instead, where the sandbox's Python lacks something.

Monty is a Python of its own; where code meets a gap, the error alone sends a model in circles. Each entry pairs a
pattern of the error with the advice that follows it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from langgraph_rlm.repl import modules
from langgraph_rlm.repl.python.answers import TOO_LONG

_TABLES = "use lists of dicts, csv, statistics and collections.Counter"
_FILES = "there are no files: the text is P, and its documents are ctx.documents()"
_NETWORK = "there is no network: the text is P, and models are asked by llm_query and llm_batch"
_SYSTEM = "there is no system here: work on P with Python"
_HTML = "use html.parser, xml.etree.ElementTree or re"
_ALIKE = "use difflib"
_ZONES = "use timezone(timedelta(hours=n)) of datetime: daylight saving is not known here, add its hour by the date"
_SECONDS = "count in seconds, as in timedelta(seconds=delta.total_seconds() * 1.5)"
_NO_NEED = "leave it out: it changes nothing here"
MODULES = {
    **dict.fromkeys(("numpy", "scipy", "array"), "use lists, sum, math and statistics"),
    **dict.fromkeys(("pandas", "polars", "openpyxl", "tabulate", "sqlite3"), _TABLES),
    **dict.fromkeys(("sklearn", "nltk", "spacy", "torch", "transformers"), "use re and Counter, or llm_batch(prompts)"),
    **dict.fromkeys(("shutil", "glob", "tempfile", "fileinput", "codecs"), _FILES),
    **dict.fromkeys(("pickle", "shelve", "marshal"), "variables stay from cell to cell; use json for texts"),
    **dict.fromkeys(("zipfile", "gzip", "zlib", "bz2", "lzma", "tarfile"), _FILES),
    **dict.fromkeys(("subprocess", "signal", "platform", "getpass", "argparse", "resource", "ctypes"), _SYSTEM),
    **dict.fromkeys(("requests", "httpx", "aiohttp", "socket", "http", "ssl", "urllib3", "smtplib"), _NETWORK),
    **dict.fromkeys(("openai", "anthropic", "langchain", "litellm"), "use llm_query(prompt) and llm_batch(prompts)"),
    **dict.fromkeys(("multiprocessing", "joblib", "queue"), "use llm_batch(prompts): it asks in parallel"),
    **dict.fromkeys(("bs4", "lxml", "html5lib", "markdown"), _HTML),
    **dict.fromkeys(("rapidfuzz", "fuzzywuzzy", "thefuzz", "Levenshtein", "jellyfish"), _ALIKE),
    **dict.fromkeys(("dateutil", "arrow", "pendulum"), "use datetime, with strptime, fromisoformat and timedelta"),
    **dict.fromkeys(("pytz", "zoneinfo"), _ZONES),
    **dict.fromkeys(("tqdm", "rich", "gc", "cProfile", "typing_extensions", "pdb"), _NO_NEED),
    **dict.fromkeys(("matplotlib", "seaborn", "plotly"), "print figures: nothing is drawn here"),
    **dict.fromkeys(("yaml", "toml", "configparser", "json5"), "use json, tomllib, or re line by line"),
    **dict.fromkeys(("uuid", "secrets"), "count, or use hashlib and random"),
    **dict.fromkeys(("pydantic", "attr", "attrs"), "use dataclasses"),
    "networkx": "use dicts of sets, and collections.deque",
    "tiktoken": "count characters: four are about a token",
    "inspect": "use type(x).__name__ and hasattr",
    "importlib": "use an import statement",
    "types": "use a class, or a dict",
    "struct": "use int.from_bytes and slices of bytes",
    "numbers": "use (int, float)",
    "weakref": "use a dict",
}
OTHERS = "write what you need of it in Python, with the modules that are here"
MONTYS = frozenset(
    (
        *("base64", "binascii", "bisect", "collections", "copy", "csv", "dataclasses", "datetime", "decimal"),
        *("functools", "hashlib", "itertools", "json", "math", "os", "pathlib", "posixpath", "random", "sys", "time"),
        *("tomllib", "unicodedata"),
    )
)
"""Modules that Monty has by itself."""
_NAMES = {
    "singledispatchmethod": "use isinstance, or a dict of functions by type",
    "get_type_hints": "annotations are not kept here: keep the types in a dict",
    "getsizeof": "use len(x)",
    "environ": _SYSTEM,
    "make_dataclass": "write the class, or use namedtuple",
    **dict.fromkeys(("context_diff", "HtmlDiff"), "use unified_diff, or ndiff"),
    "Flag": "use ints and the operators | and &",
    "IntFlag": "use ints and the operators | and &",
}

ENDING = "what ends a run, as the dialect has it"
_GAPS: list[tuple[str, str]] = [
    (
        r"cannot suspend in this synchronous context",
        "a function that a built-in calls (key=, __str__, an iterator given to a function of an earlier cell) can ask "
        "nobody. Ask by a plain call before it, as in `answers = [f(x) for x in xs]` or `items = list(g())`, "
        "and give it the results",
    ),
    (r"name '(property|staticmethod|classmethod|super)' is not defined", "use plain functions"),
    (r"'NotHere' object", "its import found nothing: write what you need of it yourself"),
    (r"name '__import__' is not defined", "use an import statement"),
    (r"object is not an iterator", "`next` takes an iterator: write `next(iter(items))`, or `items[0]` for a list"),
    (r"has no attribute '__dict__'", "name its attributes, or make it a dataclass: vars(x) and asdict(x) work there"),
    (r"has no attribute '(__doc__|__annotations__|__defaults__)'", "keep that in a dict of your own"),
    (r"has no attribute '(__mro__|__bases__|__subclasses__)'", "ask issubclass(A, B), or list the classes yourself"),
    (r"'function' object has no attribute", "keep that in a dict, or write a class with __call__"),
    (r"can only concatenate list \(not", "use xs.extend(more), or xs + list(more)"),
    (r"exceptions can only be called with", "make exceptions of one text, as in kind(str(value))"),
    (r"has no attribute 'utcnow'", "use datetime.datetime.now()"),
    (r"'datetime\.timedelta' and '(float|datetime\.timedelta)'|'float' and 'datetime\.timedelta'", _SECONDS),
    (r"'_io\.TextIOWrapper' object has no attribute", "use print(text, end='')"),
    (r"pow\(\) 2nd argument cannot be negative", "look for it: next(x for x in range(m) if a * x % m == 1)"),
    (r"has no attribute '(context_diff|HtmlDiff)'", "use difflib.unified_diff, or ndiff"),
]


_ERRORS = "catch Exception, and look at type(error).__name__"
BUILTINS = {
    **dict.fromkeys(("globals", "dir"), "use SHOW_VARS() for your variables, and hasattr(x, name)"),
    **dict.fromkeys(("exit", "quit"), ENDING),
    **dict.fromkeys(("input", "breakpoint", "help"), "nobody answers here: print what you want to see, and look at P"),
    "BaseExceptionGroup": "use ExceptionGroup",
    **dict.fromkeys(("GeneratorExit", "StopAsyncIteration", "UnicodeTranslateError"), _ERRORS),
    **dict.fromkeys(("aiter", "anext"), "use iter and next"),
    "bytearray": "use a list of int, and bytes(...) of text.encode()",
    "memoryview": "use slices of the bytes",
    "compile": "give the text to exec or eval",
}
"""Built-ins that Monty lacks and no bridge has, with what to write instead."""

_HINTS: list[tuple[str, str]] = [
    (
        r"^KeyError: ",
        "Not every dict has that key: print the keys of one, or ask `if 'key' in row` first.",
    ),
    (r"IndexError: list index out of range", "The list is shorter, or empty. Print it before you take an item of it."),
    (
        r"'datetime\.datetime' and 'datetime\.datetime'",
        "One of them has a time zone and the other has none: take it off by x.replace(tzinfo=None), or give both one.",
    ),
    (r"'NoneType' object has no attribute", "The search found nothing. Print the text there and correct the pattern."),
    (
        TOO_LONG,
        "Search the text with code, and ask about what you find, or about smaller pieces.",
    ),
    (r"Max limit for backtracking", "The pattern tries too many ways: no (a+)+ in it, and search line by line."),
    (
        r"^SystemExit",
        "A cell ends by itself, and the next goes on from there. To leave it early, use if and return.",
    ),
    (
        r"^RecursionError: ",
        "Calls go 1,000 deep here, whatever sys.setrecursionlimit says: loop over a list of what is still to do.",
    ),
    (r"argument after \*\* must be a mapping", "Write **dict(x)."),
    (r"JSONDecodeError: Extra data", "There are several JSON values: json.loads(line) for each line."),
    (
        r"JSONDecodeError: Expecting value: line 1 column 1 ",
        "It is not JSON: print its beginning, search it as text.",
    ),
]
"""Errors that any Python has, and that a small model repeats until it is told what to look at."""


def advice(error: str, ending: str) -> str | None:
    """What to write instead of that which raised `error`, or to look at; None where there is no advice.

    `ending` is what to write to end the run.
    """
    for pattern, instead in _GAPS:
        if re.search(pattern, error):
            return f"This Python lacks that: {ending if instead is ENDING else instead}."
    name = re.search(r"name '(\w+)' is not defined", error)
    if name and name[1] in BUILTINS:
        return f"This Python lacks {name[1]}: {instead_of_builtin(name[1], ending)}."
    for pattern, hint in _HINTS:
        if re.search(pattern, error, re.M):
            return hint
    return None


def unshadowed(names: Sequence[str]) -> str:
    """What is said where code calls built-ins that it has made variables."""
    renamed = ", ".join(
        f"`{name}` is the built-in again, and your variable of that name is `{name}_`" for name in names
    )
    return f"You had made it a variable. Now {renamed}."


def own_builtins(names: Sequence[str]) -> str:
    """What is said where code calls functions of its own that have the names of built-ins."""
    told = ", ".join(f"`{name}`" for name in names)
    return f"Your code has made {told} its own: `del {names[0]}` brings the built-in back."


def module_missing(name: str) -> str:
    """The message of the error that importing a module raises where there is none."""
    instead = instead_of_module(name)
    return f"No module named {name!r} here: {instead}." + (f" {modules_here()}" if instead is OTHERS else "")


def instead_of_module(name: str) -> str:
    """What to use where there is no module of that name."""
    return MODULES.get(name.partition(".")[0], OTHERS)


@cache
def modules_here() -> str:
    """Which modules there are."""
    own = {name.partition(".")[0] for name in modules.names()}
    return f"Modules that are here: {', '.join(sorted(name for name in own | MONTYS if not name.startswith('_')))}."


def instead_of_name(module: str, name: str) -> str:
    """What to use where a module does not have a name."""
    return _NAMES.get(name, f"write this one yourself, with what else {module} has")


def instead_of_builtin(name: str, ending: str) -> str:
    """What to use for one of `BUILTINS`."""
    return ending if BUILTINS[name] is ENDING else BUILTINS[name]
