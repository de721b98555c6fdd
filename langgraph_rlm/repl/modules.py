"""The modules that cells may import and that are written in Python of the sandbox: `repl/python/modules/`."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from langgraph_rlm.repl.syntax import parsed

FOLDER = Path(__file__).with_name("python") / "modules"
ADDITIONS = "_additions"
"""The package of what Monty's own modules lack."""


@cache
def names() -> frozenset[str]:
    """Their names, as in `import`, and those of the packages that they are in."""
    files = (path.relative_to(FOLDER).with_suffix("").parts for path in FOLDER.rglob("*.py"))
    found = [parts for parts in files if parts[-1] != "__init__"]
    return frozenset(".".join(parts[: i + 1]) for parts in found for i in range(len(parts)))


@cache
def source(name: str) -> str:
    """The Python of one: none where it is but a package."""
    path = FOLDER.joinpath(*name.split(".")).with_suffix(".py")
    return path.read_text(encoding="utf-8") if path.exists() else ""


@cache
def exported(name: str) -> tuple[str, ...]:
    """What `from name import *` gives."""
    found: list[str] = []
    for node in parsed(source(name)).body if name in names() else ():
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.append(node.name)
        elif isinstance(node, ast.Assign):
            targets = [part for target in node.targets for part in ast.walk(target)]
            found += [part.id for part in targets if isinstance(part, ast.Name)]
    return tuple(dict.fromkeys(part for part in found if not part.startswith("_")))


@cache
def added(name: str) -> tuple[str, ...]:
    """What there is besides what Monty's own module of that name has."""
    package = f"{ADDITIONS}.{name}"
    inner = [module.rpartition(".") for module in names()]
    return (*exported(package), *(last for parent, _, last in inner if parent == package))
