"""The built-in extractor: a field that the question names, where the text leaves no doubt about its value.

A wrong answer without a model is worse than a call, so it answers only where two things hold. The question asks for the
field and nothing else: "What is the invoice number?", not "… of order 17". And every place of the text that has the
words of the field gives it, in a known form, the same value. A mention in a sentence is a doubt, and so are a second
value, "Old invoice number: 3", a line that may go on below it, a comment behind it.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from langgraph_rlm.context import Context

MOST_PLACES = 1_000
"""Places of the field that are looked at, and rows of a table: with more it is no field of the text."""
MOST_MATCHES = 100_000
"""Places that are looked at, those inside of other words among them."""
MOST_QUESTION = 200
"""Characters of a question that asks for a field alone."""
MOST_WORDS = 6
"""Words of a field's name."""
MOST_WORDS_BELOW = 4
"""The same of a field on the line below, which may also be the rest of a sentence."""
NEAR = 4_000
"""Bytes on both sides of a place that are looked at."""
MOST_VALUE = 1_000
"""Characters of a value that is not in quotes: what is longer is a paragraph."""

_QUESTION = re.compile(
    r"""(?: please \s+ )?
    (?: what (?: \s+ (?: is | are | was | were ) | ['’]s ) | (?: give | tell | show ) (?: \s+ me )?
      | find | get | return | extract | state ) \s+
    (?: the \s+ (?: value \s+ (?: of | for ) \s+ (?: the \s+ )? (?: (?: field | key ) \s+ )? )?
      | (?= ["'`]? [^\W_]+ _ ) )   # "What is invoice?" may ask what one is
    (?P<quote> ["'`]? ) (?P<name> [^\W_]+ (?: [ _-]+ [^\W_]+ )*? ) (?P=quote)
    (?: \s+ in \s+ (?: the | this ) \s+ (?: text | document | file | context ) )?
    (?: ,? \s+ please )? \s* [?.!]*""",
    re.IGNORECASE | re.VERBOSE,
)

_IN_JSON = re.compile(r'(?:^|[{,])\s*"$')
_JSON_VALUE = re.compile(r'"\s*:\s*("(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false)\s*([,}\]]|$)')
_BEFORE = re.compile(r"[ \t]*(?:[-*•][ \t]+)?(?:\*\*|__)?")
_VALUE = re.compile(r"(?:\*\*|__)?[ \t]*(?::(?:\*\*|__)?[ \t]|(=))[ \t]*(\S.*)")
_EXPRESSION = re.compile(r"[()\[\]]|\s[+*/%<>&|-]+\s")
"""In what code assigns."""
_PAIRS = re.compile(r"(?:.*[\s,;])?")
_PAIR = re.compile(r"""=("[^"]*"|[^\s,;"'=]*[^\s,;"'=.:!?)\]}])(?=\s*$|[\s,;]+[\w.-]+=[^=\s])""")

_DOUBTFUL = re.compile(
    r"""^[=:>|{\[&*!@<] | [;,{\[(\\|:] $ | (?: \.\.\. | … ) $   # not a value, or not the end of it
    | (?: ^ | [\s,;] ) [^\s,;:=]+ \s* (?: = | : (?: \s | $ ) )   # another field
    | \t | \s\s | \s\| | \s\# | ^\#\s | \s; | \s// | ^// | ^/\* | \s/\*     # a column, a comment
    | \$\{ | \{\{ | [\x00-\x1f\x7f\x85\u2028\u2029]""",
    re.VERBOSE,
)
_QUOTED = re.compile(r"""(["'`]|\*\*)(.+)\1""")
_NOTHING = ("null", "none", "nil", "n/a", "na", "nan", "tbd", "todo", "unknown", "undefined", "see below", "see above")
_FIELD = re.compile(
    r"""[ \t]* (?: [-*•] [ \t]+ )? (?: \*\*|__ )? (?P<name> [^\W\d_] [\w ./()-]{0,60}? ) (?: \*\*|__ )?
        [ \t]* (?: : (?: \*\*|__ )? (?: \s | $ ) | = )""",
    re.VERBOSE,
)
_BORDER = re.compile(r"\s*$|#{1,6}\s|\[[^\[\]]*\]\s*$|---|===|```")
"""How a line begins that is not the rest of the one before it."""
_CODE = re.compile(r"(?=\D*\d)\S+")
"""A number, a date, an identifier: no words come after it."""
_HEADER = re.compile(r"[^\W\d_][\w ./()%#-]{0,60}")
_RULE = re.compile(r"[\s|:+-]*-[\s|:+-]*")


def field(query: str, context: Context) -> str | None:
    """The value of the field that `query` asks for, where there is one value and no doubt."""
    words = _words(query)
    if not words:
        return None
    if any(document["length"] == len(query) for document in context.metadata):  # it may be part of a conversation
        text = "\n\n".join(document for document in context.documents() if document != query)
    else:
        text = context.text
    return _value(words, text.encode())


def _words(query: str) -> list[str]:
    """The words of the field that is all that the question asks for, in lower case; none where it asks for more."""
    asks = _QUESTION.fullmatch(query.strip()) if len(query) <= MOST_QUESTION else None
    if asks is None:
        return []
    words = _split(asks["name"])
    return words if len(words) <= MOST_WORDS else []


def _value(words: list[str], text: bytes) -> str | None:
    """The value that the field has wherever the text has its words, in whatever case, joined in whatever way, also as a
    plural or a singular."""
    stem = words[-1].removesuffix("s") if len(words[-1]) > 3 else words[-1]
    joined = rb"(?:[\s_.-]|\xc2\xa0)*".join(_spelled(word) for word in [*words[:-1], stem])
    found: str | None = None
    places = 0
    for number, match in enumerate(re.finditer(joined + rb"(?:ses|es|s)?", text.lower())):  # bytes: ASCII only, fast
        start, end = match.span()
        if number == MOST_MATCHES or places == MOST_PLACES:
            return None
        if _is_one_word(text[start - 1 : start], text[start : start + 1]) or _is_one_word(
            text[end - 1 : end], text[end : end + 1]
        ):
            continue
        places += 1
        value = _Place.at(text, start, end).value(words)
        if value is None or found not in (None, value):
            return None
        found = value
    return found


def _spelled(word: str) -> bytes:
    return b"".join(
        re.escape(letter.encode())
        if letter.isascii()
        else b"(?:%b|%b)" % (re.escape(letter.encode()), re.escape(letter.upper().encode()))
        for letter in word
    )


@dataclass(frozen=True)
class _Place:
    """The words of the field in the text, and what is around them."""

    text: bytes
    name: str
    before: str
    """What stands before them on their line, or the end of that."""
    after: str
    below: int
    """Where the next line begins."""
    is_whole: bool
    """Whether that is all of the line."""

    @classmethod
    def at(cls, text: bytes, start: int, end: int) -> _Place:
        first = text.rfind(b"\n", max(0, start - NEAR), start) + 1
        last = text.find(b"\n", end, end + NEAR)
        begins, ends = first > 0 or start <= NEAR, last >= 0 or end + NEAR >= len(text)
        before = text[first or max(0, start - NEAR) : start].decode(errors="ignore")
        after = text[end : last if last >= 0 else end + NEAR].decode(errors="ignore")
        name = text[start:end].decode(errors="ignore")
        return cls(text, name, before, after, last + 1 if last >= 0 else len(text), begins and ends)

    def value(self, words: list[str]) -> str | None:
        """The value of the field here; None where this is no field of that name, or something about it is in doubt."""
        if _split(self.name) != words:
            return None
        if _IN_JSON.search(self.before) and (stated := _JSON_VALUE.match(self.after)):
            return _from_json(stated[1]) if stated[2] or self._closes_below() else None
        if not self.is_whole:
            return None
        line = self.after.rstrip()
        if (
            _BEFORE.fullmatch(self.before)
            and (stated := _VALUE.fullmatch(line))
            and (value := _plain(*stated.groups()))
        ):
            return value if self._ends_here(value) else None
        if _PAIRS.fullmatch(self.before) and (stated := _PAIR.match(line)) and self._has_more_pairs():
            return _told(stated[1].strip('"'))
        return self._in_column(words)

    def _has_more_pairs(self) -> bool:
        """Whether there is another pair on the line: else more words may belong to the value."""
        return bool(re.search(r"[\w.-]=[^=\s]", self.before) or re.search(r"[\s,;][\w.-]+=[^=\s]", self.after))

    def _closes_below(self) -> bool:
        """Whether the line below ends what the value is in: else it may go on there."""
        return self.is_whole and next(self._lines(), "").lstrip().startswith(("}", "]", ","))

    def _ends_here(self, value: str) -> bool:
        """Whether the line below is no part of the value: it is blank, or no deeper and a field like this one, one of
        many that begin alike, or a sentence below a number or code."""
        lines = self._lines()
        below = next(lines, "")
        if _BORDER.match(below):
            return True
        deep, own = (len(line) - len(line.lstrip()) for line in (below, self.before))
        if deep > own:
            return False
        other = _FIELD.match(below)
        if other and other["name"][0].isupper() == self.name[0].isupper():
            most = MOST_WORDS_BELOW if self.name[0].isupper() else 1
            if len(other["name"].split()) <= most:
                return True
        first, *more = below.split()
        if first in self._above().split()[:1] or (len(more) > 1 and first in next(lines, "").split()[:1]):
            return True
        return bool(_CODE.fullmatch(value)) and first.istitle() and len(more) > 1

    def _lines(self) -> Iterator[str]:
        """The lines below."""
        start = self.below
        while start < len(self.text):
            end = self.text.find(b"\n", start)
            end = end if end >= 0 else len(self.text)
            yield self.text[start:end].decode().rstrip("\r")
            start = end + 1

    def _above(self) -> str:
        """The line above, or the end of it."""
        end = max(0, self.text.rfind(b"\n", 0, max(0, self.below - 1)))
        return self.text[max(0, end - NEAR) : end].rpartition(b"\n")[2].decode(errors="ignore")

    def _in_column(self, words: list[str]) -> str | None:
        """The value that is in each row of the column with this header."""
        header = self.before + self.name + self.after.rstrip("\r")
        if self._above().strip():
            return None  # not the first line of anything
        for delimiter in ",;\t|":
            cells = _cells(header, delimiter)
            if len(cells) < 2 or not all(map(_HEADER.fullmatch, cells)) or [*map(_split, cells)].count(words) != 1:
                continue
            column = [_split(cell) for cell in cells].index(words)
            values = set[str | None]()
            for number, row in enumerate(self._lines()):
                if not row.strip():
                    break
                if number == 0 and delimiter == "|" and _RULE.fullmatch(row):
                    continue
                if number == MOST_PLACES or len(own := _cells(row, delimiter)) != len(cells):
                    return None
                values.add(_told(own[column]))
                if len(values) > 1:
                    return None
            return values.pop() if values else None
        return None


def _is_one_word(left: bytes, right: bytes) -> bool:
    """Whether a word goes on between two letters. It does not in front of the hump of `invoiceNumber`."""
    return left.isalnum() and right.isalnum() and not (left.islower() and right.isupper())


def _split(name: str) -> list[str]:
    """The words of a name as it stands in the text, in lower case."""
    if "." in name:
        return []
    humps = [at for at, pair in enumerate(pairwise(name), 1) if pair[0].islower() and pair[1].isupper()]
    parted = " ".join(name[start:end] for start, end in pairwise([0, *humps, len(name)]))
    return re.split(r"[\s_-]+", parted.strip().lower())


def _cells(line: str, delimiter: str) -> list[str]:
    if delimiter == "|":
        line = line.strip().removeprefix("|").removesuffix("|")
    try:
        [cells] = csv.reader([line], delimiter=delimiter, strict=True)
    except (csv.Error, ValueError):
        return []
    return [cell.strip() for cell in cells]


def _from_json(value: str) -> str | None:
    try:
        return _told(json.loads(value) if value.startswith('"') else value)
    except ValueError:
        return None


def _plain(assigned: str | None, value: str) -> str | None:
    """A value that ends with its line, without quotes around it; None where it is in doubt."""
    if quoted := _QUOTED.fullmatch(value):
        return _told(quoted[2]) if quoted[1] not in quoted[2] else None
    if len(value) > MOST_VALUE or _DOUBTFUL.search(value) or (assigned and _EXPRESSION.search(value)):
        return None
    return _told(value)


def _told(value: str) -> str | None:
    """The value, if it tells anything."""
    value = value.strip()
    is_said = any(map(str.isalnum, value)) and value.lower() not in _NOTHING
    return value if is_said else None
