"""JSON as models write it: among words, in fences or tags, with Python's words and quotes. Nothing of it is guessed.

An object or a list counts wherever it stands; a number, a text, `true` or `null` only where it is all of the reply, of
a fence or of a tag. What is cut off or broken is no JSON, and neither is a part of it. All takes time by the length of
the text alone, whatever stands in it.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections import deque
from typing import Any

MOST_SEARCHED = 500_000
"""Characters of a text with other things than JSON in it."""
MOST_VALUES = 100
"""Of those in a text the last ones."""
MOST_NESTED = 101
"""Lists and dicts in each other: one more than an answer may have."""
MOST_QUOTED = 30
"""Characters that are shown of the place where JSON breaks."""

_TAGS = "answer|final|final[_-]?answer|json|result|output|response|reply"
_OPENING = re.compile(rf"[\[{{]|(?P<fence>`{{3,}}|~{{3,}})|<(?P<tag>{_TAGS})>", re.IGNORECASE)
"""Where there may be a value."""
_FENCE = re.compile(r"(?<![`~])(`{3,}+|~{3,}+)([^\n`]*+)$", re.MULTILINE)
_INLINE = re.compile(r"(?:[a-zA-Z]\w*+[ \t]++)?")
"""The word that may stand before what a fence in a line has."""
_BETWEEN = re.compile(r"(?:[\s\ufeff\u200b]++|(?://|\#)[^\n]{0,300}+|/\*.{0,300}?\*/){0,100}+", re.DOTALL)
"""White space and comments."""
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*+)(?:\.\d++)?(?:[eE][+-]?\d++)?(?![\w.])", re.ASCII)
_WORD = re.compile(r"(?:true|false|null|True|False|None|NaN|-?Infinity)\b")
_WORDS = {"True": True, "False": False, "None": None}
_TEXT = re.compile(r'"((?:[^"\\]++|\\.)*+)"|' + r"'((?:[^'\\\n]++|\\.)*+)'", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|U([0-9a-fA-F]{8})|.)|\"", re.DOTALL)
_SKIPPED = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[{]|[\]}]', re.DOTALL)
"""What counts where the end of broken JSON is looked for: brackets outside of texts."""


class _Broken(Exception):
    """No value can be read from here on."""

    def __init__(self, place: int, why: str = "") -> None:
        super().__init__()
        self.place, self.why = place, why


def json_values(text: str) -> list[Any]:
    """The values that a text says in JSON, in their order: those in each other are one.

    Raises:
        ValueError: There is none. The message says what is wrong with what begins like one.
    """
    whole = text.strip("\ufeff\u200b \t\r\n")
    try:
        return [json.loads(whole, strict=False)]
    except (ValueError, RecursionError):
        if len(whole) > MOST_SEARCHED:
            raise ValueError("it is no JSON.") from None
    search = _Search(whole)
    search.run()
    if not search.values:
        raise ValueError(f"it is no JSON{search.problem}.")
    return list(search.values)


def text_in_tag(text: str) -> str | None:
    """What is in the tag that a text ends with, such as `<answer>`; None where it ends otherwise."""
    closing = re.search(rf"</({_TAGS})>\s*\Z", text[-100:], re.IGNORECASE)
    openings = list(re.finditer(f"<{closing[1]}>", text, re.IGNORECASE)) if closing else []
    return text[openings[-1].end() : text.rindex("</")].strip() if openings else None


class _Search:
    """Goes over a text once, and keeps the values that it finds."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.values = deque[Any](maxlen=MOST_VALUES)
        self.problem = ""
        """What is wrong with what began like JSON last."""
        self.fences, self.contents = _fences(text)

    def run(self) -> None:
        if self._take_scalar(0, ""):
            return
        place = 0
        while found := _OPENING.search(self.text, place):
            place, end = found.span()
            if found["tag"]:
                place = self._take_scalar(end, f"</{found['tag']}>") or end
            elif found["fence"]:
                content = self._content_of(found)
                place = (content and self._take_scalar(content, found["fence"])) or end
            else:
                place = self._after_bracket(place)

    def _content_of(self, fence: re.Match[str]) -> int | None:
        """Where that begins what a fence has; None for one that closes a block."""
        place = bisect_left(self.fences, fence.start())
        if self.fences[place : place + 1] == [fence.start()]:
            return self.contents.get(fence.start())
        word = _INLINE.match(self.text, fence.end())
        return word.end() if word else fence.end()

    def _take_scalar(self, place: int, closing: str) -> int | None:
        """Keeps the number, text or word that is all there is up to `closing`, or to the end. Gives its end."""
        reader = _Reader(self.text, place)
        try:
            value = reader.scalar()
        except _Broken:
            return None
        start = reader.between()
        end = start + len(closing) if closing else len(self.text)
        if self.text[start:end].lower() != closing.lower():
            return None
        self.values.append(value)
        return end

    def _after_bracket(self, place: int) -> int:
        """Keeps the value that begins there, if one does. Gives the place to go on from."""
        reader = _Reader(self.text, place)
        try:
            self.values.append(reader.value(MOST_NESTED))
            return reader.place
        except _Broken as broken:
            if not reader.has_read and not broken.why:
                return max(broken.place, place + 1)  # a bracket among words
            at = self.text[broken.place : broken.place + MOST_QUOTED]
            self.problem = f": what begins like it {broken.why or (f'breaks at {at!r}' if at else 'is cut off')}"
            return self._end_of_broken(place, broken.place)

    def _end_of_broken(self, place: int, broken: int) -> int:
        """Where what began at `place` and broke ends: with its last bracket, or before the next fence."""
        following = bisect_left(self.fences, broken)
        end, depth = self.fences[following] if following < len(self.fences) else len(self.text), 0
        for found in _SKIPPED.finditer(self.text, place, end):
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found[0], 0)
            if depth <= 0 and found.end() > broken:
                return found.end()
        return end


def _fences(text: str) -> tuple[list[int], dict[int, int]]:
    """Where fences stand, and of those that open a block where its content begins."""
    places, contents, is_open = list[int](), dict[int, int](), False
    for found in _FENCE.finditer(text):
        places.append(found.start())
        is_open = not (is_open and not found[2].strip())
        if is_open:
            contents[found.start()] = found.end()
    return places, contents


class _Reader:
    """Reads one value: JSON with Python's words and quotes, comments, and commas at the end."""

    def __init__(self, text: str, place: int) -> None:
        self.text, self.place = text, place
        self.has_read = False
        """Whether any value or key was read: what has none may be a bracket among words."""

    def between(self) -> int:
        """Goes over white space and comments."""
        found = _BETWEEN.match(self.text, self.place)
        self.place = found.end() if found else self.place
        return self.place

    def value(self, room: int) -> Any:
        if not room:
            raise _Broken(self.place, "is nested too deeply")
        place = self.between()
        if self.text.startswith("[", place):
            return self._list(room - 1)
        return self._object(room - 1) if self.text.startswith("{", place) else self.scalar()

    def scalar(self) -> Any:
        place = self.between()
        if self.text.startswith(("'", '"'), place):
            return self._string()
        if found := _NUMBER.match(self.text, place) or _WORD.match(self.text, place):
            self.place, self.has_read = found.end(), True
            try:
                return _WORDS[found[0]] if found[0] in _WORDS else json.loads(found[0])
            except ValueError:  # a number of thousands of digits
                raise _Broken(place) from None
        raise _Broken(place)

    def _list(self, room: int) -> list[Any]:
        items = list[Any]()
        self.place += 1
        while not self._closes("]", bool(items)):
            items.append(self.value(room))
        return items

    def _object(self, room: int) -> dict[str, Any]:
        items = dict[str, Any]()
        self.place += 1
        while not self._closes("}", bool(items)):
            key = self._string()
            self._expect(":")
            items[key] = self.value(room)
        return items

    def _closes(self, bracket: str, has_items: bool) -> bool:
        """Goes over the bracket that closes, or over the comma before the next item."""
        self.between()
        if has_items and not self.text.startswith(bracket, self.place):
            self._expect(",")
            self.between()
        if not self.text.startswith(bracket, self.place):
            return False
        self.place, self.has_read = self.place + 1, True
        return True

    def _expect(self, mark: str) -> None:
        if not self.text.startswith(mark, self.between()):
            raise _Broken(self.place)
        self.place += 1

    def _string(self) -> str:
        found = _TEXT.match(self.text, self.between())
        if found is None:
            is_open = self.text.startswith('"', self.place)
            self.has_read |= is_open
            raise _Broken(len(self.text) if is_open else self.place)
        self.has_read = True
        try:
            string: str = json.loads(f'"{_ESCAPE.sub(_as_json, found[1] or found[2] or "")}"', strict=False)
        except ValueError:
            raise _Broken(self.place) from None
        self.place = found.end()
        return string


def _as_json(escape: re.Match[str]) -> str:
    """An escape of Python as JSON has it."""
    short, long = escape[1], escape[2]
    if short or long:
        code = int(short or long, 16)
        return json.dumps(chr(code))[1:-1] if code <= 0x10FFFF else escape[0]
    return {"\\'": "'", '"': '\\"', "\\\n": ""}.get(escape[0], escape[0])
