"""Python as large models write it for the README's uses: cells over a text, and the texts.

Each file here that ends in `.md` has a text's name as its title and an idiom under each heading; an idiom of several
cells has several blocks. Cells set `Final`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from benchmarks.idioms.texts import TEXTS, Text


@dataclass(frozen=True)
class Idiom:
    """Cells that run one after the other over a text."""

    name: str
    text: Text
    cells: tuple[str, ...]


def idioms() -> list[Idiom]:
    return [idiom for file in sorted(Path(__file__).parent.glob("*.md")) for idiom in _read(file.read_text())]


def _read(page: str) -> list[Idiom]:
    title, *sections = re.split(r"^##? (.+)\n", page, flags=re.M)[1:]
    return [
        Idiom(f"{title}: {name}", TEXTS[title], tuple(re.findall(r"^```python\n(.*?)^```$", body, re.M | re.S)))
        for name, body in zip(sections[1::2], sections[2::2], strict=True)
    ]
