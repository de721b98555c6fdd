"""What a cell printed: a prefix, a suffix and how much there was. Constant in size, whatever the code prints."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OutputCap:
    """Characters of output that are kept: from its start, and from its end."""

    head: int
    tail: int


@dataclass
class Printed:
    """Collects output, and keeps of it what there is room for."""

    cap: OutputCap
    head: str = ""
    tail: str = ""
    length: int = 0

    def write(self, stream: str, text: str) -> None:
        """The sandbox's print callback."""
        self.length += len(text)
        free = max(self.cap.head - len(self.head), 0)
        self.head += text[:free]
        tail = self.tail + text[free:]
        self.tail = tail[max(len(tail) - self.cap.tail, 0) :]

    @property
    def omitted(self) -> int:
        """Characters that were not kept."""
        return self.length - len(self.head) - len(self.tail)

    def __str__(self) -> str:
        left_out = f"\n… {self.omitted:,} characters left out …\n" if self.omitted else ""
        return f"{self.head}{left_out}{self.tail}"
