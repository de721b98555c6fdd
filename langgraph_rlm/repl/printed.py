"""What a cell printed: a prefix, a suffix and how much there was. Constant in size, whatever the code prints."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Printed:
    """Collects output and keeps at most `limit` characters of it: three quarters from the start, the rest the end."""

    limit: int
    head: str = ""
    tail: str = ""
    length: int = 0

    def write(self, stream: str, text: str) -> None:
        """The sandbox's print callback."""
        self.length += len(text)
        room = self.limit * 3 // 4 - len(self.head)
        self.head += text[: max(room, 0)]
        self.tail = (self.tail + text[max(room, 0) :])[-(self.limit - self.limit * 3 // 4) :]

    def __str__(self) -> str:
        omitted = self.length - len(self.head) - len(self.tail)
        return f"{self.head}\n… {omitted:,} characters left out …\n{self.tail}" if omitted else self.head + self.tail
