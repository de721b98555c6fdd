"""Dataclasses that are derived, and what Monty's lack: cells print what CPython prints."""

from __future__ import annotations

import pytest

from tests.unit.repl.rewriting.printed import print_the_same

PROGRAMS = {
    "super().__init__": r"""
from dataclasses import dataclass

@dataclass
class A:
    x: int

class B(A):
    def __init__(self, x, y):
        super().__init__(x)
        self.y = y

b = B(1, 2)
print(b.x, b.y)
""",
    "a plain class derived from one": r"""
from dataclasses import dataclass

@dataclass
class A:
    x: int

class B(A):
    def m(self):
        return self.x + 1

b = B(5)
print(b.m(), b)
""",
    "InitVar": r"""
from dataclasses import dataclass, InitVar

@dataclass
class A:
    x: int
    scale: InitVar[int] = 2

    def __post_init__(self, scale):
        self.x = self.x * scale

print(A(3).x, A(3, 5).x, A(3))
""",
    "__post_init__, order of fields, defaults": r"""
from dataclasses import dataclass, field, fields, asdict
from typing import ClassVar

@dataclass
class Base:
    id: int
    tags: list = field(default_factory=list)
    kind: ClassVar[str] = "base"

    def __post_init__(self):
        self.tags = list(self.tags) + ["b"]

@dataclass
class Doc(Base):
    title: str = "t"
    kind = "doc"

    def __post_init__(self):
        super().__post_init__()
        self.tags.append("d")

    @property
    def label(self):
        return f"{self.id}:{self.title}"

@dataclass
class Big(Doc):
    id: int = 9
    size: float = 1.0

print(
    Doc(1),
    Doc(2, ["x"], title="y").label,
    Big(),
    Big(size=2.0).label,
    [f.name for f in fields(Big)],
    asdict(Big()),
    Doc(1) == Doc(1),
    Big() != Big(1),
    Doc.kind,
    Base.kind,
    Big().kind,
)
try:
    Doc()
except TypeError:
    print("TypeError")
match Doc(5):
    case Base(i, ["b", *r]):
        print(i, r)
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_prints_what_cpython_prints(name: str) -> None:
    print_the_same(PROGRAMS[name])
