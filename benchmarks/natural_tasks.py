"""Questions as people ask them of source code, over folders of Python's standard library (`make eval-local`).

There are two families of twelve, one question of each kind. Prompts may be tuned on the first; the second shares no
folder and no wording with it. Answers are computed from the files at hand, so they are right for any Python since 3.11.
"""

from __future__ import annotations

import ast
import builtins
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import chdir
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from benchmarks.tasks import CodeKind, Task
from langgraph_rlm import Context

STDLIB = Path(sysconfig.get_paths()["stdlib"])

_ERRORS = frozenset(name for name in vars(builtins) if name.endswith("Error"))


def natural_tuning_tasks(library: Path = STDLIB) -> list[Task]:
    """The twelve questions that prompts may be tuned on."""
    ask = partial(_task, library)
    return [
        ask("asyncio", "class", "In which file is the class Barrier defined?", _files(_class("Barrier"))),
        ask("asyncio", "imports", "Which files import the module heapq?", _files(_import("heapq"))),
        ask(
            "asyncio", "default", "What is the default backlog of create_server?", _default("create_server", "backlog")
        ),
        ask("asyncio", "constant", "What is the value of DEBUG_STACK_DEPTH?", _value("DEBUG_STACK_DEPTH")),
        ask(
            "asyncio",
            "error",
            "Which function raises the error 'Set of Tasks/Futures is empty.'?",
            _functions(_raise("Set of Tasks/Futures is empty.")),
        ),
        ask("logging", "base", "What is the base class of WatchedFileHandler?", _bases("WatchedFileHandler")),
        ask(
            "logging",
            "returns",
            "Which priority does mapPriority of SysLogHandler return for a level that it does not know?",
            _returned("mapPriority", rivals="alert crit critical debug emerg err error info notice panic warn"),
        ),
        ask(
            "logging",
            "raises",
            "Which exception is raised when the name of a logger is not a string?",
            _raised("A logger name must be a string"),
        ),
        ask("json", "count", "How many classes does this package define?", _number_of_classes),
        ask("json", "function", "Which file defines the function py_scanstring?", _files(_function("py_scanstring"))),
        ask("email", "largest", "Which file has more lines than any other?", _longest),
        ask(
            "email",
            "docstring",
            "Which module says in its docstring that it was lifted directly from rfc822?",
            _files(_docstring("Lifted directly from rfc822.py")),
        ),
    ]


def natural_held_out_tasks(library: Path = STDLIB) -> list[Task]:
    """The twelve questions to measure with, never to tune on."""
    ask = partial(_task, library)
    return [
        ask("http", "class", "Where does the code of class Morsel live?", _files(_class("Morsel"))),
        ask(
            "multiprocessing",
            "imports",
            "I am looking for everything that depends on mmap: what files would that be?",
            _files(_import("mmap")),
        ),
        ask("multiprocessing", "largest", "Name the longest file here.", _longest),
        ask(
            "wsgiref",
            "default",
            "How many bytes is blksize in FileWrapper unless I pass something else?",
            _default("__init__", "blksize"),
        ),
        ask(
            "wsgiref",
            "returns",
            "What does guess_scheme come up with when the environ says nothing at all?",
            _returned("guess_scheme", rivals="https"),
        ),
        ask("unittest", "constant", "_MAX_LENGTH stands for what number?", _value("_MAX_LENGTH")),
        ask("unittest", "function", "Where can I read how skipUnless is implemented?", _files(_function("skipUnless"))),
        ask(
            "urllib",
            "error",
            'My program died with "Port out of range 0-65535". What source file is this message from?',
            _files(_raise("Port out of range 0-65535")),
        ),
        ask("concurrent", "base", "ThreadPoolExecutor is a subclass of what?", _bases("ThreadPoolExecutor")),
        ask(
            "importlib",
            "raises",
            "What happens if I call reload() with an argument that is no module: what kind of error do I get?",
            _raised("reload() argument must be a module"),
        ),
        ask("xml", "count", "How many Python files are there in total?", _number_of_files),
        ask(
            "xml",
            "docstring",
            'There is a "SAX driver for the pyexpat C module" somewhere, according to its docstring. Where?',
            _files(_docstring("SAX driver for the pyexpat C module")),
        ),
    ]


# What an answer is computed from


@dataclass(frozen=True)
class Folder:
    """A package of the standard library: its Python files as a context, and each one parsed, by its path."""

    context: Context
    modules: dict[str, ast.Module]

    def nodes(self) -> Iterator[ast.AST]:
        """All that stands in any file."""
        return (node for module in self.modules.values() for node in ast.walk(module))


@dataclass(frozen=True)
class Answer:
    """What there is to say, all of it, and what else of its sort could be said."""

    values: frozenset[int | str]
    rivals: frozenset[str] = frozenset()


Test = Callable[[ast.AST], bool]
Finder = Callable[[Folder], Answer]


@cache
def _folder(library: Path, name: str) -> Folder:
    with chdir(library):  # so that documents are named as by someone who works there
        files = [str(path) for path in sorted(Path(name).rglob("*.py")) if not {"test", "tests"} & {*path.parts}]
        context = Context.from_files(files)
    names = [document["name"] for document in context.metadata]
    return Folder(context, {name: ast.parse(text) for name, text in zip(names, context.documents(), strict=True)})


def _task(library: Path, package: str, kind: CodeKind, question: str, find: Finder) -> Task:
    folder = _folder(library, package)
    answer = find(folder)
    values = tuple(sorted(answer.values, key=str))
    if not values or (len(values) > 1 and kind != "imports"):
        raise ValueError(f"{question!r} has {len(values)} answers in {library / package}: {values}")
    expected = values[0] if len(values) == 1 else tuple(map(str, values))
    return Task(f"{package}-{kind}", kind, question, folder.context, expected, answer.rivals)


def _files(test: Test) -> Finder:
    """The files that have something in them that passes the test."""

    def find(folder: Folder) -> Answer:
        found = {path for path, module in folder.modules.items() if any(map(test, ast.walk(module)))}
        return Answer(frozenset(map(_file_name, found)), frozenset(map(_file_name, folder.modules)))

    return find


def _functions(test: Test) -> Finder:
    """The functions that have something in them that passes the test, among all that raise an error."""

    def find(folder: Folder) -> Answer:
        defined = [node for node in folder.nodes() if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        found = frozenset(node.name for node in defined if any(map(test, ast.walk(node))))
        raising = {node.name for node in defined if any(isinstance(inner, ast.Raise) for inner in ast.walk(node))}
        return Answer(found, frozenset(raising))

    return find


def _default(function: str, parameter: str) -> Finder:
    """The number that a parameter is where nothing is passed, in every definition of the function that has it."""

    def find(folder: Folder) -> Answer:
        values: set[int | str] = set()
        for node in folder.nodes():
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == function:
                defaults = _defaults(node.args)
                values |= {ast.literal_eval(defaults[parameter])} if parameter in defaults else set()
        return Answer(frozenset(values))

    return find


def _defaults(arguments: ast.arguments) -> dict[str, ast.expr]:
    positional = [*arguments.posonlyargs, *arguments.args][-len(arguments.defaults) or None :]
    keyword_only = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return {
        argument.arg: default
        for argument, default in [*zip(positional, arguments.defaults, strict=False), *keyword_only]
        if default
    }


def _value(constant: str) -> Finder:
    """The number that a name is assigned."""

    def find(folder: Folder) -> Answer:
        assigned = [node for node in folder.nodes() if isinstance(node, ast.Assign)]
        return Answer(
            frozenset(ast.literal_eval(node.value) for node in assigned if ast.unparse(node.targets[0]) == constant)
        )

    return find


def _bases(name: str) -> Finder:
    """What a class derives from, without the module in front; rivals are all classes of the folder."""

    def find(folder: Folder) -> Answer:
        classes = [node for node in folder.nodes() if isinstance(node, ast.ClassDef)]
        bases = [_last_name(base) for node in classes if node.name == name for base in node.bases]
        return Answer(frozenset(bases), frozenset(node.name for node in classes))

    return find


def _raised(message: str) -> Finder:
    """The errors that are raised with a message; rivals are Python's own."""

    def find(folder: Folder) -> Answer:
        calls = [node.exc for node in folder.nodes() if isinstance(node, ast.Raise) and _raise(message)(node)]
        return Answer(frozenset(_last_name(call.func) for call in calls if isinstance(call, ast.Call)), _ERRORS)

    return find


def _returned(function: str, rivals: str) -> Finder:
    """The strings in the last `return` of a function."""

    def find(folder: Folder) -> Answer:
        functions = [node for node in folder.nodes() if isinstance(node, ast.FunctionDef) and node.name == function]
        last = [[node for node in ast.walk(one) if isinstance(node, ast.Return)][-1] for one in functions]
        strings = {text for node in last for inner in ast.walk(node) if (text := _string(inner))}
        return Answer(frozenset(strings), frozenset(rivals.split()))

    return find


def _number_of_classes(folder: Folder) -> Answer:
    """How many classes there are; two answers where some stand within others, which one may count or not."""
    every = sum(isinstance(node, ast.ClassDef) for node in folder.nodes())
    outermost = sum(isinstance(node, ast.ClassDef) for module in folder.modules.values() for node in module.body)
    return Answer(frozenset({every, outermost}))


def _number_of_files(folder: Folder) -> Answer:
    return Answer(frozenset({len(folder.modules)}))


def _longest(folder: Folder) -> Answer:
    """The longest file; two answers where the one with the most lines is not the one with the most characters."""
    texts = dict(zip(folder.modules, folder.context.documents(), strict=True))
    most_characters = max(texts, key=lambda path: len(texts[path]))
    most_lines = max(texts, key=lambda path: texts[path].count("\n"))
    names = frozenset(map(_file_name, texts))
    return Answer(frozenset(map(_file_name, {most_characters, most_lines})), names)


# Tests of a piece of code


def _class(name: str) -> Test:
    return lambda node: isinstance(node, ast.ClassDef) and node.name == name


def _function(name: str) -> Test:
    return lambda node: isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name


def _import(module: str) -> Test:
    def imports(node: ast.AST) -> bool:
        if isinstance(node, ast.Import):
            return module in (alias.name for alias in node.names)
        return isinstance(node, ast.ImportFrom) and not node.level and node.module == module

    return imports


def _raise(message: str) -> Test:
    return lambda node: isinstance(node, ast.Raise) and message in map(_string, ast.walk(node))


def _docstring(phrase: str) -> Test:
    return lambda node: isinstance(node, ast.Module) and phrase in " ".join((ast.get_docstring(node) or "").split())


def _string(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _last_name(expression: ast.expr) -> str:
    return ast.unparse(expression).rpartition(".")[2]


def _file_name(path: str) -> str:
    return Path(path).name
