"""What `import langgraph_rlm` gives, and what it waits for."""

from __future__ import annotations

import ast
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import TypeAdapter

import langgraph_rlm

PROVIDED = set(langgraph_rlm.__all__)


def loaded_by(code: str) -> set[str]:
    """The packages that a new process has loaded after that code."""
    told = f"{code}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    return set(subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout.split())


def test_every_name_is_there_however_it_is_imported() -> None:
    assert set(dir(langgraph_rlm)) >= PROVIDED
    names: dict[str, object] = {}
    exec("from langgraph_rlm import *", names)
    assert names.keys() - {"__builtins__"} == PROVIDED
    assert all(names[name] is getattr(langgraph_rlm, name) for name in PROVIDED)


def test_type_checkers_know_the_names_that_there_are() -> None:
    tree = ast.parse(Path(langgraph_rlm.__file__).read_text())
    [for_checkers] = [block for block in tree.body if isinstance(block, ast.If) and isinstance(block.test, ast.Name)]
    imported = {
        (alias.name, line.module)
        for line in for_checkers.body
        if isinstance(line, ast.ImportFrom)
        for alias in line.names
    }
    given = {(name, f"langgraph_rlm.{module}") for module, names in langgraph_rlm._NAMES.items() for name in names}
    assert imported == given
    assert {name for name, _ in given} == PROVIDED


def test_unknown_name_is_told() -> None:
    with pytest.raises(AttributeError, match="module 'langgraph_rlm' has no attribute 'Kontext'"):
        _ = langgraph_rlm.Kontext  # type: ignore[attr-defined]


def test_values_can_be_pickled_before_anything_else_is_imported() -> None:
    values = (langgraph_rlm.Limits(max_steps=3), langgraph_rlm.Router("rlm"), langgraph_rlm.InvalidInput)
    read = f"import pickle; print(pickle.loads({pickle.dumps(values)!r}))"
    assert subprocess.run([sys.executable, "-c", read], capture_output=True, text=True).stdout.startswith("(Limits(")


def test_settings_can_be_read_by_pydantic() -> None:
    assert TypeAdapter(langgraph_rlm.Router).validate_python({"profile": "rlm"}) == langgraph_rlm.Router("rlm")


def test_import_alone_waits_for_neither_langgraph_nor_langchain() -> None:
    loaded = loaded_by("import langgraph_rlm; langgraph_rlm.Limits, langgraph_rlm.RLMError")
    assert not {"langgraph", "langchain", "langchain_core", "pydantic"} & loaded


def test_import_of_create_rlm_waits_for_nothing_that_most_runs_do_without() -> None:
    loaded = loaded_by("from langgraph_rlm import create_rlm")
    assert "langgraph" in loaded
    assert not {"jsonschema", "referencing", "pathspec", "openai", "langchain_openai", "aiosqlite", "typer"} & loaded


@pytest.mark.parametrize("name", langgraph_rlm._MODULES)
def test_modules_can_be_reached_from_the_package(name: str) -> None:
    told = f"import langgraph_rlm\nprint(langgraph_rlm.{name}.__name__)"
    printed = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == f"langgraph_rlm.{name}"
