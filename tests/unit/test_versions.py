"""What `make test-lowest` installs is what pyproject.toml allows."""

from __future__ import annotations

from importlib.metadata import requires

from packaging.requirements import Requirement

from tests.versions import lowest


def test_each_package_has_one_lower_bound_wherever_it_is_required() -> None:
    required = [Requirement(line) for line in requires("langgraph-rlm") or []]
    for name, bound in (pin.split("==") for pin in lowest()):
        bounded = [str(requirement.specifier) for requirement in required if requirement.name == name]
        assert {part for parts in bounded for part in parts.split(",") if part.startswith(">=")} == {f">={bound}"}
