"""Regular expressions of cells, as the sandbox's engine has to be told them to find what CPython's finds.

CPython's own parser reads the pattern, so that what it means, and what is wrong with it, is what a model expects. What
the engine of the sandbox (Rust's `regex`, and `fancy_regex` above it) takes otherwise is written out: `$`, `\\w`,
`\\s`, ignored case, octal escapes, brackets in sets. Each pattern is written for texts of ASCII alone too: that
compiles in a tenth of the time, and `\\b` means the same there.
"""

from __future__ import annotations

import re
import sys
import warnings
from dataclasses import dataclass, field
from re import _constants, _parser  # type: ignore[attr-defined]  # noqa: PLC2701
from typing import Any, TypedDict

MOST_PATTERN = 10_000
"""Characters of a pattern: the host's time for one grows with them."""
FLAGS = int(re.I | re.M | re.S | re.X | re.A | re.U)
NOT_IN_NOTHING = "" if sys.version_info >= (3, 14) else r"(?!\A\z)"
"""`\\B` matches an empty text from CPython 3.14 on."""
NEVER = "[a&&b]"
"""A set in which nothing is."""
WORD, SPACE, DIGIT = r"\p{L}\p{N}_", r"\s\x1c-\x1f", r"\p{Nd}"
ASCII_WORD, ASCII_SPACE, ASCII_DIGIT = "0-9A-Za-z_", r"\x09-\x0d\x20", "0-9"
_SETS = {"WORD": (WORD, ASCII_WORD), "SPACE": (SPACE, ASCII_SPACE), "DIGIT": (DIGIT, ASCII_DIGIT)}
_ASSERTIONS = {("ASSERT", 1): "?=", ("ASSERT_NOT", 1): "?!", ("ASSERT", -1): "?<=", ("ASSERT_NOT", -1): "?<!"}
_SPECIAL_CASES = {"iI": "\u0130\u0131", "kK": "\u212a", "sS": "\u017f"}
"""What CPython takes for a letter of ASCII where case is ignored, besides its other case."""
REPEATED_NOTHING = (
    "a group that may match nothing is repeated, as in (a*)+, and would match otherwise here than in other Pythons: "
    "write + or ? once, as in (a+)*"
)
_HARD = ("GROUPREF", "GROUPREF_EXISTS", "ATOMIC_GROUP", "POSSESSIVE_REPEAT")
_WARNED_OF = re.compile(r"\[\[|--|&&|~~|\|\|")
"""Where CPython warns that a pattern may mean something else some day: it would, on the user's terminal."""
NEWLINE = 10
_ALL = frozenset(range(128))
_CATEGORIES = {
    "WORD": frozenset(code for code in _ALL if chr(code).isalnum() or chr(code) == "_"),
    "SPACE": frozenset(code for code in _ALL if chr(code).isspace()),
    "DIGIT": frozenset(code for code in _ALL if chr(code).isdigit()),
}
"""Of ASCII."""
_SEPARATORS = frozenset(range(0x1C, 0x20))
"""White space in Unicode, but not in `re.ASCII`."""


class Translated(TypedDict):
    """A pattern as the sandbox's `re` needs it."""

    flags: int
    groups: int
    groupindex: dict[str, int]
    sources: list[str]
    """For texts of ASCII alone, such that end with a newline, other texts, and such that end with a newline."""
    shifted: list[str]
    """The same for use in a group of its own: references to groups count that one."""
    is_unnamed: bool
    """Whether its groups have no names there: the engine takes no names beside references by number."""
    behind: int
    """Characters before a place that decide what matches there."""
    is_nullable: bool
    """Whether it may match nothing."""
    may_prefer_nothing: bool
    """Whether it may match nothing where it could match something."""
    is_hard: bool
    """Whether the engine has to try ways one after the other, of which it may be too many."""
    looks: bool
    """Whether what is around a place decides what matches there."""
    closing: list[int]
    """The groups in the order in which they close."""
    is_of_one: bool
    """Whether at most one of its groups has a value."""
    is_of_lines: bool
    """Whether lines can be searched one by one."""


def translated(pattern: str, flags: int) -> Translated:
    """The pattern for the sandbox.

    Raises:
        re.error: It is none.
        ValueError: It is too long, or its flags exclude each other.
    """
    if len(pattern) > MOST_PATTERN:
        raise ValueError(
            f"the pattern has {len(pattern):,} characters: {MOST_PATTERN:,} at most, or test words by `in`"
        )
    try:
        parsed = _parsed(pattern, flags & FLAGS)
        traits = _Traits()
        traits.read(parsed, parsed.state.flags)
        names = {group: name for name, group in parsed.state.groupdict.items()}
        is_unnamed = traits.has_references and bool(names)
        written = [
            _written(parsed, {} if is_unnamed else names, traits.has_end, shift)
            for shift in range(1 + traits.has_references)
        ]
    except RecursionError:
        raise re.error("the pattern is nested too deeply") from None
    return {
        "flags": parsed.state.flags,
        "groups": parsed.state.groups - 1,
        "groupindex": dict(parsed.state.groupdict),
        "sources": written[0],
        "shifted": written[-1],
        "is_unnamed": is_unnamed,
        "behind": traits.behind,
        "is_nullable": parsed.getwidth()[0] == 0,
        "may_prefer_nothing": traits.may_prefer_nothing,
        "is_hard": traits.is_hard,
        "looks": traits.looks,
        "closing": traits.closing,
        "is_of_one": _most_groups(parsed) <= 1,
        "is_of_lines": traits.is_of_lines,
    }


def _most_groups(items: Any) -> int:
    """How many groups may have a value at once, one being counted twice where it is repeated with others."""
    most = 0
    for operation, value in items:
        match str(operation), value:
            case "BRANCH", (_, branches):
                most += max(map(_most_groups, branches))
            case "SUBPATTERN", (group, _, _, inner):
                most += (group is not None) + _most_groups(inner)
            case "ASSERT" | "ASSERT_NOT", (_, inner):
                most += _most_groups(inner)
            case "MIN_REPEAT" | "MAX_REPEAT" | "POSSESSIVE_REPEAT", (_, high, inner):
                most += _most_groups(inner) * min(high, 2)
            case "ATOMIC_GROUP", inner:
                most += _most_groups(inner)
            case "GROUPREF_EXISTS", (_, inner, other):
                most += _most_groups(inner) + _most_groups(other or [])
    return most


def _parsed(pattern: str, flags: int) -> Any:
    if not _WARNED_OF.search(pattern):
        return _parser.parse(pattern, flags)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _parser.parse(pattern, flags)


def _written(parsed: Any, names: dict[int, str], has_end: bool, shift: int) -> list[str]:
    def write(is_ascii: bool, ends_with_newline: bool) -> str:
        return _Writer(is_ascii, ends_with_newline, names, shift).sequence(parsed, parsed.state.flags)

    if has_end:
        return [write(is_ascii, ends) for is_ascii in (True, False) for ends in (False, True)]
    return [source for is_ascii in (True, False) for source in [write(is_ascii, False)] * 2]


# -- what is to be known of it ----------------------------------------------------------------------------------------


@dataclass
class _Traits:
    behind: int = 0
    may_prefer_nothing: bool = False
    looks: bool = False
    has_end: bool = False
    has_references: bool = False
    is_hard: bool = False
    is_of_lines: bool = True
    closing: list[int] = field(default_factory=list)

    def read(self, items: Any, flags: int) -> None:
        for operation, value in items:
            self.is_hard |= str(operation) in _HARD
            self._read_one(str(operation), value, flags)

    def _read_one(self, operation: str, value: Any, flags: int) -> None:
        match operation, value:
            case "LITERAL" | "NOT_LITERAL" | "IN" | "ANY", _:
                self.is_of_lines &= NEWLINE not in _codes(operation, value, flags)
            case "AT", where:
                self._look(1)
                is_line = flags & re.M or "BOUNDARY" in str(where)
                self.is_of_lines &= bool(is_line)
                self.has_end |= str(where) == "AT_END" and not flags & re.M
            case "ASSERT" | "ASSERT_NOT", (direction, inner):
                low, high = inner.getwidth() if direction < 0 else (0, 0)
                if low != high:
                    raise re.error("look-behind requires fixed-width pattern")
                self._look(int(low) + 1)
                self.read(inner, flags)
            case "BRANCH", (_, branches):
                self.may_prefer_nothing |= any(branch.getwidth()[0] == 0 for branch in branches[:-1])
                for branch in branches:
                    self.read(branch, flags)
            case "MIN_REPEAT" | "MAX_REPEAT" | "POSSESSIVE_REPEAT", (low, high, inner):
                self.may_prefer_nothing |= operation == "MIN_REPEAT" and (low == 0 or inner.getwidth()[0] == 0)
                before = len(self.closing)
                self.read(inner, flags)
                is_repeated_nothing = high > 1 and inner.getwidth()[0] == 0 < inner.getwidth()[1]
                if is_repeated_nothing and (len(self.closing) > before or self.may_prefer_nothing):
                    raise re.error(REPEATED_NOTHING)
            case "SUBPATTERN", (group, added, removed, inner):
                self.read(inner, flags & ~removed | added)
                self.closing += [group] if group else []
            case "ATOMIC_GROUP", inner:
                self.read(inner, flags)
            case "GROUPREF", _:
                self.has_references = True
            case "GROUPREF_EXISTS", (_, inner, other):
                self.has_references = self.may_prefer_nothing = True
                self.read(inner, flags)
                self.read(other or [], flags)

    def _look(self, behind: int) -> None:
        self.looks, self.behind = True, self.behind + behind


# -- characters -------------------------------------------------------------------------------------------------------


def _codes(operation: str, value: Any, flags: int) -> frozenset[int]:
    """The characters of ASCII that one item of a pattern matches."""
    if operation == "ANY":
        return _ALL if flags & re.S else _ALL - {NEWLINE}
    items = [(operation.removeprefix("NOT_"), value)] if operation != "IN" else [(str(op), arg) for op, arg in value]
    found = frozenset[int]().union(*(_codes_of(*item, flags) for item in items))
    is_negated = operation == "NOT_LITERAL" or items[0][0] == "NEGATE"
    return _ALL - found if is_negated else found


def _codes_of(operation: str, value: Any, flags: int) -> frozenset[int]:
    """Those of a literal, or of one part of a set."""
    if operation == "NEGATE":
        return frozenset()
    if operation == "CATEGORY":
        negated, name = _category(value)
        found = _CATEGORIES[name] - (_SEPARATORS if flags & re.A else frozenset())
        return _ALL - found if negated else found
    low, high = value if operation == "RANGE" else (value, value)
    found = frozenset(range(low, min(high, 127) + 1))
    if flags & re.I:
        found |= {ord(chr(code).swapcase()) for code in found if chr(code).isalpha()}
        if not flags & re.A:
            for letters, others in _SPECIAL_CASES.items():
                if any(low <= ord(other) <= high for other in others):
                    found |= {*map(ord, letters)}
    return found


def _category(code: Any) -> tuple[bool, str]:
    name = str(code).removeprefix("CATEGORY_")
    return name.startswith("NOT_"), name.removeprefix("NOT_")


def _char(code: int) -> str:
    letter = chr(code)
    if 0xD800 <= code < 0xE000:
        return NEVER  # no text of the sandbox can have it
    return letter if letter.isascii() and letter.isalnum() else rf"\x{{{code:x}}}"


def _ranges(codes: list[int]) -> str:
    """The inside of a set of these characters, which are in order."""
    runs: list[list[int]] = []
    for code in codes:
        if runs and code == runs[-1][1] + 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return "".join(_char(low) if low == high else f"{_char(low)}-{_char(high)}" for low, high in runs)


# -- writing it -------------------------------------------------------------------------------------------------------


@dataclass
class _Writer:
    """Writes a parsed pattern for texts of ASCII alone or any, that end with a newline or not."""

    is_ascii: bool
    ends_with_newline: bool
    names: dict[int, str]
    shift: int

    def sequence(self, items: Any, flags: int) -> str:
        return "".join(self._one(str(operation), value, flags) for operation, value in items)

    def _one(self, operation: str, value: Any, flags: int) -> str:
        match operation, value:
            case "LITERAL" | "NOT_LITERAL" | "IN" | "ANY", _:
                return self._characters(operation, value, flags)
            case "AT", where:
                return self._place(str(where), flags)
            case "ASSERT" | "ASSERT_NOT", (direction, inner):
                return f"({_ASSERTIONS[operation, direction]}{self.sequence(inner, flags)})"
            case "FAILURE", _:
                return NEVER
            case "BRANCH", (_, branches):
                return f"(?:{'|'.join(self.sequence(branch, flags) for branch in branches)})"
            case "MIN_REPEAT" | "MAX_REPEAT" | "POSSESSIVE_REPEAT", (low, high, inner):
                if high == 0 or inner.getwidth()[1] == 0:
                    return self._at_most_once(low, high, operation == "MIN_REPEAT", self.sequence(inner, flags))
                repeated = f"(?:{self.sequence(inner, flags)}){_times(low, high)}"
                if operation == "POSSESSIVE_REPEAT":
                    return f"(?>{repeated})"
                return repeated + ("?" if operation == "MIN_REPEAT" else "")
            case "SUBPATTERN", (group, added, removed, inner):
                inside = self.sequence(inner, flags & ~removed | added)
                name = f"?P<{self.names[group]}>" if group in self.names else ""
                return f"({name}{inside})" if group else f"(?:{inside})"
            case "ATOMIC_GROUP", inner:
                return f"(?>{self.sequence(inner, flags)})"
            case "GROUPREF", group:
                return rf"(?{'i' if flags & re.I else ''}:\{group + self.shift})"
            case "GROUPREF_EXISTS", (group, inner, other):
                no = f"|(?:{self.sequence(other, flags)})" if other else ""
                return f"(?({group + self.shift})(?:{self.sequence(inner, flags)}){no})"
        raise ValueError(f"{operation} is not known here")

    @staticmethod
    def _at_most_once(low: int, high: int, is_lazy: bool, inside: str) -> str:
        """Of what has no width: the engine refuses to repeat it, and forgets groups that are repeated no time."""
        if high == 0:
            return f"(?:{NEVER}{inside}|)"
        if low:
            return f"(?:{inside})"
        return f"(?:|{inside})" if is_lazy else f"(?:{inside}|)"

    def _characters(self, operation: str, value: Any, flags: int) -> str:
        if self.is_ascii:
            codes = sorted(_codes(operation, value, flags))
            return _char(codes[0]) if len(codes) == 1 else f"[{_ranges(codes)}]" if codes else NEVER
        if operation == "ANY":
            return "(?s:.)" if flags & re.S else r"[^\x0a]"
        items = (
            [(operation.removeprefix("NOT_"), value)] if operation != "IN" else [(str(op), arg) for op, arg in value]
        )
        is_negated = operation == "NOT_LITERAL" or items[0][0] == "NEGATE"
        if operation == "LITERAL" and not flags & re.I:
            return _char(value)
        inside = "".join(self._in_set(*item, flags) for item in items)
        if flags & re.I:
            spelled = frozenset[int]().union(*(_codes_of(*item, flags) for item in items))
            inside += _ranges(sorted(spelled))
            if not flags & re.A and ord("i") in spelled:
                inside += "\u0130\u0131"
        ignoring = flags & re.I and not flags & re.A
        if not inside:
            return NEVER
        written = f"[{'^' * is_negated}{inside}]"
        return f"(?i:{written})" if ignoring else written

    def _in_set(self, operation: str, value: Any, flags: int) -> str:
        match operation:
            case "LITERAL":
                return "" if 0xD800 <= value < 0xE000 else _char(value)
            case "RANGE":
                low, high = (0xE000 if 0xD800 <= value[0] < 0xE000 else value[0]), value[1]
                high = 0xD7FF if 0xD800 <= high < 0xE000 else high
                return f"{_char(low)}-{_char(high)}" if low <= high else ""
            case "CATEGORY":
                negated, name = _category(value)
                inside = _SETS[name][bool(flags & re.A)]
                return f"[^{inside}]" if negated else inside
        return ""

    def _place(self, where: str, flags: int) -> str:
        match where.removeprefix("AT_"):
            case "BEGINNING":
                return "(?m:^)" if flags & re.M else r"\A"
            case "END" if flags & re.M:
                return "(?m:$)"
            case "END":
                return r"(?=\x0a?\z)" if self.ends_with_newline else r"\z"
            case "BEGINNING_STRING":
                return r"\A"
            case "END_STRING":
                return r"\z"
            case "BOUNDARY" if self.is_ascii:
                return r"\b"
            case "NON_BOUNDARY" if self.is_ascii:
                return rf"{NOT_IN_NOTHING}\B"
        word = ASCII_WORD if flags & re.A else WORD
        if "NON" in where:
            return f"{NOT_IN_NOTHING}(?:(?<=[{word}])(?=[{word}])|(?<![{word}])(?![{word}]))"
        return f"(?:(?<=[{word}])(?![{word}])|(?<![{word}])(?=[{word}]))"


def _times(low: int, high: int) -> str:
    if high is _constants.MAXREPEAT:
        return {0: "*", 1: "+"}.get(low, f"{{{low},}}")
    return "?" if (low, high) == (0, 1) else f"{{{low}}}" if low == high else f"{{{low},{high}}}"
