"""The packages that this one stands on, and which of their versions are to be tested.

`python -m tests.versions newest` or `lowest` prints them as pip takes them, for the Makefile.
"""

from __future__ import annotations

import sys
import tomllib
from importlib.metadata import version
from itertools import chain
from pathlib import Path

from packaging.requirements import Requirement

PACKAGES = ("langgraph", "langchain", "langchain-core", "langchain-openai", "pydantic-monty")


def lowest() -> list[str]:
    """Each package at the lower bound that pyproject.toml has for it.

    Raises:
        KeyError: A package has none there.
    """
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    listed = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    bounds = {
        requirement.name: specifier.version
        for requirement in map(Requirement, listed)
        for specifier in requirement.specifier
        if specifier.operator == ">="
    }
    return [f"{name}=={bounds[name]}" for name in PACKAGES]


def installed() -> str:
    """The versions that are tested, for people."""
    return ", ".join(f"{name} {version(name)}" for name in PACKAGES)


if __name__ == "__main__":
    print(*(lowest() if sys.argv[1] == "lowest" else PACKAGES), sep="\n")
