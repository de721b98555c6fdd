"""The house as docs/architecture.md and CONTRIBUTING.md describe it."""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from langgraph_rlm.routes.profiles import PROFILES, Profile

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "langgraph_rlm"
MAP = (ROOT / "docs" / "architecture.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
ROOMS = [path for path in PACKAGE.rglob("__init__.py") if path.parent != PACKAGE]
MOST_LOOSE, MOST_LINES = 12, 60


def section(title: str) -> str:
    return MAP.split(f"\n## {title}\n")[1].split("\n## ")[0]


def glossary() -> list[tuple[str, str]]:
    """Each name of the glossary, with the file that has it."""
    return re.findall(r"^\| .*?`(\w+)`.*? \| .* \| `([\w/.]+)` \|$", section("Words that are ours"), re.M)


def functions() -> Iterator[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node


# -- rooms ------------------------------------------------------------------------------------------------------------


def test_few_files_are_loose() -> None:
    assert len([*PACKAGE.glob("*.py")]) <= MOST_LOOSE


@pytest.mark.parametrize("room", ROOMS, ids=lambda path: path.parent.name)
def test_each_room_says_what_it_is_for_and_what_it_must_not_know(room: Path) -> None:
    doc = ast.get_docstring(ast.parse(room.read_text())) or ""
    assert len(doc.split("\n\n")) >= 2
    assert re.search("must not know|nothing in the package knows", doc)


def test_tests_lie_in_the_rooms_of_what_they_test() -> None:
    rooms = {path.name for path in (ROOT / "tests" / "unit").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert rooms <= {path.parent.name for path in ROOMS}


def test_functions_fit_one_look() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path, node in functions()
        if lines_of(node) > MOST_LINES
    ]
    assert long == []


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Those of its docstring are not counted."""
    docstring = function.body[0] if ast.get_docstring(function) else None
    of_docstring = (docstring.end_lineno or 0) - docstring.lineno + 1 if docstring else 0
    return (function.end_lineno or 0) - function.lineno + 1 - of_docstring


def test_linter_has_each_node_of_the_graph() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    listed = contracts["importlinter:contract:nodes"]["modules"].split()
    imported = re.findall(r"from (langgraph_rlm\.nodes\.\w+) import", (PACKAGE / "graph.py").read_text())
    shared = {"langgraph_rlm.nodes.turn", "langgraph_rlm.nodes.checking"}
    assert listed == sorted({*imported} - shared)


def imported_by(node: ast.AST) -> list[str]:
    """The modules that a statement imports."""
    match node:
        case ast.ImportFrom(module=str(module)):
            return [module]
        case ast.Import(names=names):
            return [alias.name for alias in names]
    return []


def test_private_names_of_langgraph_are_imported_in_one_file() -> None:
    importing = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in imported_by(node)
        if name.startswith("langgraph.") and "._" in name
    }
    assert importing == {"langgraph_internals.py"}


def test_python_is_parsed_in_one_file() -> None:
    """That file holds the lock without which CPython up to 3.12 fails where two threads parse at once."""
    parsing = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if PACKAGE / "repl" / "python" not in path.parents
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"ast.parse", "compile"}
    }
    assert parsing == {"repl/syntax.py"}


def files_that_call(*functions: str) -> set[str]:
    """The files with calls of functions and methods by these names, but for those of a class above."""
    return {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and not ast.unparse(node.func).startswith("super()")
        and ast.unparse(node.func).rpartition(".")[2] in functions
    }


def test_readers_of_replies_are_these_and_replies_come_in_at_one_place() -> None:
    """Who asks a model is given a `ModelReply`: its text without thoughts, and whether that is all of it."""
    asks = {"generate", "ainvoke", "invoke", "agenerate", "generate_prompt", "agenerate_prompt"}
    others = {"asking/tools.py", "asking/remote_child.py", "nodes/answering.py", "models/wrapped.py", "apps/tool.py"}
    # of tools, of children there and here, of what is in a model's place, of RLMs
    assert files_that_call(*asks) == {"asking/model_calls.py", *others}
    assert files_that_call("read_reply") == {"asking/model_calls.py"}
    readers = {"nodes/generate.py", "nodes/direct.py", "nodes/answering.py", "nodes/verify.py"}
    assert files_that_call("CallModel") == readers
    for reader in readers:
        names = ast.unparse(ast.parse((PACKAGE / reader).read_text()))
        assert ".content" not in names
        assert "AIMessage" not in names


# -- the map ----------------------------------------------------------------------------------------------------------


def test_floors_of_the_picture_are_those_that_the_linter_holds() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    floors = contracts["importlinter:contract:floors"]["layers"].split()
    held = [floor for floor in floors if floor not in ("|", "__main__")]
    assert re.findall(r"(?<=[│ ] )(\w+)(?:/|\.py)(?=  )", section("The floors").split("```")[1]) == held


@pytest.mark.parametrize("page", [MAP, CONTRIBUTING], ids=["architecture.md", "CONTRIBUTING.md"])
def test_every_file_that_it_names_is_there(page: str) -> None:
    named = re.findall(r"`([\w/.-]+(?:/|\.(?:py|md|toml|txt))|\.importlinter)`", page)
    assert named
    assert [name for name in named if not any((base / name).exists() for base in (PACKAGE, ROOT))] == []


def test_every_make_target_that_contributing_names_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = set(re.findall(r"`make ([a-z-]+)`", CONTRIBUTING))
    assert named <= targets
    assert targets - named <= {"help", "setup", "clean"}


def test_every_word_of_the_glossary_is_defined_where_it_says() -> None:
    words = glossary()
    assert len(words) > 25
    missing = [
        (name, file)
        for name, file in words
        if not re.search(rf"^(?:class |def | {{4}})?{name}\b", (PACKAGE / file).read_text(), re.M)
    ]
    assert missing == []


def test_functions_that_the_map_names_are_where_it_says() -> None:
    named = re.findall(r"`([\w/]+\.py)` `(\w+)`", MAP)
    assert named
    assert [(file, name) for file, name in named if not re.search(rf"\b{name}\b", (PACKAGE / file).read_text())] == []


# -- what "to add …" says ---------------------------------------------------------------------------------------------


def test_profiles_are_all_in_the_one_list() -> None:
    assert sorted(PROFILES) == sorted(get_args(Profile))


def test_no_other_file_decides_by_the_name_of_a_profile() -> None:
    deciding = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Compare)
        for side in ast.walk(node)
        if isinstance(side, ast.Constant) and side.value in set(PROFILES) - {"rlm", "direct"}
    }
    assert deciding == set()
