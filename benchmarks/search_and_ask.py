"""What one would do without an RLM: search the text for the question's words, and ask a model about the lines found."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from langgraph_rlm import Context

MOST = 8_000
"""Characters of lines that are shown: some 2,700 tokens of code, for which the local model's window has room."""

_LONGEST = 200  # characters of a line that are shown
_COMMON = """\
a an and any are as at be by can could did do does else for from get give has have here how i if in is it its many me
more most much my name no not of on or other say says somewhere something than that the there this to total unless value
was were what when where which who whose why will with would you"""
_PROMPT = """\
These lines were found in the files, the likeliest first, as file:line: text.

{lines}

{question}
Answer in a few words, with nothing but the answer."""


@dataclass(frozen=True)
class Line:
    """A line of a document, with the document's name, and its number in it, from 1."""

    document: str
    number: int
    text: str

    def __str__(self) -> str:
        return f"{self.document}:{self.number}: {self.text[:_LONGEST].rstrip()}"


def plain_question(question: str, context: Context) -> str:
    """What to ask a model: the question, over the lines found."""
    return _PROMPT.format(lines="\n".join(map(str, lines_found(question, context))), question=question)


def lines_found(question: str, context: Context, most: int = MOST) -> list[Line]:
    """The lines with the rarest of the question's words, best first, as many as fit in `most` characters.

    A word counts the more the fewer lines have it, and twice where it is a name, a number or quoted. Lines that come to
    less than a third of the best one are left out.
    """
    lines = list(_lines(context))
    scores = [0.0] * len(lines)
    for pattern, weight in _patterns(question):
        having = [index for index, line in enumerate(lines) if pattern.search(line.text)]
        for index in having:
            scores[index] += weight * math.log(len(lines) / len(having))
    enough = max(scores, default=0) / 3
    found: list[Line] = []
    for index in sorted(range(len(lines)), key=lambda index: -scores[index]):
        most -= len(str(lines[index])) + 1
        if most < 0 or scores[index] < enough or not enough:
            break
        found.append(lines[index])
    return found


def _lines(context: Context) -> Iterator[Line]:
    for document, text in zip(context.metadata, context.documents(), strict=True):
        for number, line in enumerate(text.splitlines(), 1):
            yield Line(document["name"], number, line)


def _patterns(question: str) -> Iterator[tuple[re.Pattern[str], int]]:
    """What to look for, each with its weight. Names, numbers and what is quoted stand in the text as they are."""
    for quoted in re.findall(r'"[^"]{3,}"|(?<!\w)\'[^\']{3,}\'', question):
        yield re.compile(re.escape(quoted[1:-1])), 2
    for word in dict.fromkeys(re.findall(r"\w+", question)):
        named = re.search(r"[_\d]|\w[A-Z]", word) or (word[0].isupper() and not question.startswith(word))
        if word.casefold() in _COMMON.split():
            continue
        if named:
            yield re.compile(rf"\b{re.escape(word)}\b"), 2
        else:
            singular = re.sub(r"(?<=ss)es$|(?<!s)s$", "", word)
            yield re.compile(rf"\b{singular}(?:e?s)?\b", re.IGNORECASE), 1
