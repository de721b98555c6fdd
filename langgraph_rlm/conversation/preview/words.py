"""Where a text has the words of a question: those that tell something, in the spelling of the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate

from langgraph_rlm.context import Context
from langgraph_rlm.conversation.preview.documents import folder_of, where

MOST_SEARCHED = 10_000_000
"""Characters of the text that are searched for the words of the question: that takes about a second."""
MOST_PLACES = 10_000
"""Places of a word that are looked at before it counts as missing."""
MOST_QUESTION = 1_600
"""Characters of the question whose words are looked for."""
MOST_WORDS, MOST_WORD = 8, 60
MOST_LOOKED_FOR = 40
"""Words of a question that are looked for."""
MOST_DEFINITIONS = 500
"""Places of a name that are looked at for its definition."""
MOST_LINES, MOST_OF_LINES = 4, 700
"""Lines that are shown, and characters of all of them."""
MOST_SHOWN = 160
"""Characters shown of a line."""
RARE_PER_CHARACTERS, LEAST_RARE = 20_000, 20
"""A word that stands there more often than once in so many characters, and so often at all, tells nothing."""

_COMMON = """
 the a an of in is are was were and or for to by at on as it its from with how many much what which who whom whose where
 when why has have had this that these those all any each most do does did be been not there than then so if no yes
 one ones into about between does only other same such more least first last per file files text document documents line
 lines word words name names number value list find count give name me please """
_QUOTED = re.compile(r"(?:^|(?<=[\s(]))[\"'“\u2018`]([^\"“”`\n]{2,60}?)[\"'”’`](?=$|[\s?.,;:!)])")
_DEFINES = re.compile(r"[ \t]*(?:(?:class|def|async def|function|type|struct)[ \t]+)?")
_DEFINED = re.compile(r"[ \t]*[(:={]")
_IDENTIFIER = re.compile(r"\d|_|[a-z][A-Z]|[A-Z]{2}|\w[.:/@=-]\w")


NAMES, COMMON = 1, 3
"""Up to which rank words are names, and which one is of those that are common."""


@dataclass(frozen=True)
class Word:
    """A word or several that the text has, with its first place.

    `rank`: 0 quoted, 1 an identifier, 2 a rare one, 3 one that is common in the text.
    """

    text: str
    place: int
    rank: int


Words = list[Word]
"""Those that tell most first."""


def words_found(query: str, text: str) -> Words:
    """Runs of the query's words that stand in `text`, as long as possible; else its words in another spelling.

    Nothing where all of them are common in the text.
    """
    searched, query = text[:MOST_SEARCHED], query[:MOST_QUESTION]
    found: dict[str, Word] = {}
    for word in [*_quoted(query, searched), *_runs(query, searched)]:
        found.setdefault(word.text, word)
    counts = {word: searched.count(word) for word in found}
    most = max(LEAST_RARE, len(searched) // RARE_PER_CHARACTERS)
    words = [
        replace(word, rank=COMMON) if word.rank == 2 and counts[word.text] > most else word for word in found.values()
    ]
    if all(word.rank == COMMON for word in words):
        return []
    first = sorted(words, key=lambda word: (word.rank, counts[word.text]))[:MOST_WORDS]
    return [replace(word, place=_definition(word, searched)) if word.rank == 1 else word for word in first]


def quoted(query: str) -> list[str]:
    """What stands in quotes."""
    return _QUOTED.findall(query)


def is_identifier(word: str) -> bool:
    """Whether a word is a name or a number rather than one of a language."""
    return _IDENTIFIER.search(word) is not None


def _quoted(query: str, text: str) -> Iterator[Word]:
    for words in quoted(query):
        if (at := text.find(words)) >= 0:
            yield Word(words, at, 0)


def _runs(query: str, text: str) -> Iterator[Word]:
    words = [match.span() for match in re.finditer(r"\w(?:[\w.=:@/-]*\w)?", query)][:MOST_LOOKED_FOR]
    first = 0
    while first < len(words):
        start, end = words[first]
        last, run, at = first, "", -1
        while last < len(words) and words[last][1] <= start + MOST_WORD and not is_common(query[start:end]):
            place = _place(query[start : words[last][1]], text)
            if place < 0:
                break
            run, at, last = query[start : words[last][1]], place, last + 1
        while last > first + 1 and is_common(query[slice(*words[last - 1])]):
            last -= 1
            run = query[start : words[last - 1][1]]
        if not run and not is_common(query[start:end]):
            places = ((word, _place(word, text)) for word in _spellings(query[start:end]))
            run, at = next((found for found in places if found[1] >= 0), ("", -1))
        if run:
            yield Word(run, at, 1 if is_identifier(run) else 2)
        else:
            yield from _parts(query[start:end], text)
        first = max(last, first + 1)


def _parts(joined: str, text: str) -> Iterator[Word]:
    """The parts that `text` has of what is joined by dots, hyphens or the like, and is not there as a whole."""
    parts = re.findall(r"\w+", joined)
    for part in parts if len(parts) > 1 else ():
        if len(part) > 2 and not is_common(part) and (at := _place(part, text)) >= 0:
            yield Word(part, at, 1)


def _definition(word: Word, text: str) -> int:
    """Where `text` defines a name; else where it first has it."""
    at = word.place
    for _ in range(MOST_DEFINITIONS):
        start = max(text.rfind("\n", 0, at) + 1, at - MOST_SHOWN)
        if _DEFINES.fullmatch(text, start, at) and _DEFINED.match(text, at + len(word.text)):
            return at
        at = text.find(word.text, at + 1)
        if at < 0:
            break
    return word.place


def is_common(word: str) -> bool:
    """Whether a word tells nothing of what is looked for."""
    return re.search(rf"\s{re.escape(word.lower())}\s", _COMMON) is not None


def _spellings(word: str) -> list[str]:
    forms = [word, word.removesuffix("s")] if len(word) > 3 else [word]
    return [spelled for form in forms for spelled in (form, form.lower(), form.capitalize(), form.upper())]


def _place(word: str, text: str) -> int:
    """Where `text` first has `word`, not as a part of a longer word; -1 where the first places have not."""
    at = -1
    for _ in range(MOST_PLACES):
        at = text.find(word, at + 1)
        if at < 0 or stands_alone(word, at, text):
            return at
    return -1


def stands_alone(word: str, at: int, text: str) -> bool:
    """Whether a word at a place of `text` is no part of a longer one."""
    return not (text[max(at - 1, 0) : at].isalnum() or text[at + len(word) : at + len(word) + 1].isalnum())


def lines_with(words: Words, context: Context, numbered: bool = False) -> list[str]:
    """The lines at the places of `words`: each with those after it up to a blank one, or as much as may be shown.

    Where there are several documents, or lines are to be `numbered`, each says where it stands.
    """
    is_placed = numbered or context.num_documents() > 1
    folder = folder_of(context) if is_placed else ""
    lines = [
        *dict.fromkeys(
            (_place_of(context, word.place, folder) if is_placed else "") + _around(context.text, word.place)
            for word in words[:MOST_LINES]
        )
    ]
    lengths = accumulate(len(line) + 1 for line in lines)
    return [line for line, length in zip(lines, lengths, strict=True) if length <= MOST_OF_LINES]


def _place_of(context: Context, at: int, folder: str) -> str:
    """Where a line stands: in which document too, where there are several."""
    return where(context, at, folder) if context.num_documents() > 1 else f"line {context.line_at(at)}: "


def _around(text: str, at: int) -> str:
    """The line at a place; marked where it is cut."""
    begin = text.rfind("\n", 0, at) + 1
    start = max(begin, at - MOST_SHOWN // 2)
    ends = (text.find(border, at, start + MOST_SHOWN) for border in ("\n\n", "\n"))
    end = next((end for end in ends if end >= 0), start + MOST_SHOWN)
    return f"{'…' if start > begin else ''}{text[start:end]}{'…' if text[end : end + 1] not in ('', chr(10)) else ''}"
