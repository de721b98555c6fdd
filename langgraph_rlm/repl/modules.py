"""The modules that cells may import and that are written in Python of the sandbox: `repl/python/modules/`."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).with_name("python") / "modules"


@cache
def names() -> frozenset[str]:
    """Their names, as in `import`."""
    files = (path.relative_to(FOLDER).with_suffix("").parts for path in FOLDER.rglob("*.py"))
    return frozenset(".".join(parts) for parts in files if parts[-1] != "__init__")


@cache
def source(name: str) -> str:
    """The Python of one, as it is written."""
    return FOLDER.joinpath(*name.split(".")).with_suffix(".py").read_text(encoding="utf-8")


@cache
def exported(name: str) -> tuple[str, ...]:
    """What `from name import *` gives."""
    found: list[str] = []
    for node in ast.parse(source(name)).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.append(node.name)
        elif isinstance(node, ast.Assign):
            targets = [part for target in node.targets for part in ast.walk(target)]
            found += [part.id for part in targets if isinstance(part, ast.Name)]
    return tuple(dict.fromkeys(part for part in found if not part.startswith("_")))
