"""What `python/modules/` asks of the host: functions of the standard library over plain data, for hostile arguments.

Each is a pure function of what it is given, takes data of certain types up to a certain size, and gives plain data:
lists of records where CPython has trees, so that nothing here is as deep as the input is nested.
"""

from __future__ import annotations

import ast
import difflib
import email.header
import email.message
import email.utils
import html
import json
import pprint
import quopri
import re
import statistics
import textwrap
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import FunctionType, UnionType
from typing import Any, get_args
from xml.parsers import expat

from pydantic_monty import ExcType

from langgraph_rlm.repl.syntax import parsed

MOST_NESTED = 100
"""Lists in lists that are passed, and that a literal may have."""
MOST_DIGITS = 4_300
"""Of an int that is passed, as CPython bounds their conversion."""
MOST_WORK = 5_000_000
"""Comparisons of two sequences: some 0.3 s."""
_KINDS: tuple[ExcType, ...] = get_args(ExcType)


class Refused(Exception):
    """What the code in the sandbox is to raise."""

    def __init__(self, kind: ExcType, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Function:
    """What runs, the types of what it takes, and how much of that: characters and items, in sum."""

    run: Callable[..., Any]
    takes: tuple[type | UnionType, ...]
    most: int


def call(name: str, arguments: list[Any]) -> Any:
    """The value of a function of `FUNCTIONS`.

    Raises:
        Refused: There is none of that name, or it does not take these arguments, or raises for them.
    """
    function = FUNCTIONS.get(name)
    if function is None:
        raise Refused("TypeError", f"no function {name!r:.60}")
    given = len(arguments) == len(function.takes) and all(map(isinstance, arguments, function.takes))
    size = _size(arguments)
    if not given or size is None:
        raise Refused("TypeError", f"{name} takes other arguments here: plain data, at most {MOST_NESTED} deep")
    if size > function.most:
        raise Refused("ValueError", f"{name} takes at most {function.most:,} characters or items here: pass less")
    try:
        return function.run(*arguments)
    except (RecursionError, MemoryError):
        raise Refused("ValueError", f"{name}: nested too deeply") from None
    except Exception as error:
        raise Refused(_kind(error), str(error)) from None


def _kind(error: Exception) -> ExcType:
    names = [kind.__name__ for kind in type(error).__mro__]
    return next(known for name in names for known in _KINDS if known == name)


def _size(value: object) -> int | None:
    """Characters and items; None where something is no plain data or too deep, or an int too long."""
    size, rest = 0, [(value, 0)]
    while rest:
        item, depth = rest.pop()
        if depth > MOST_NESTED:
            return None
        if isinstance(item, str | bytes):
            size += len(item)
        elif isinstance(item, list | tuple | set | frozenset):
            rest += [(part, depth + 1) for part in item]
        elif isinstance(item, dict):
            rest += [(part, depth + 1) for pair in item.items() for part in pair]
        elif isinstance(item, int):
            if item.bit_length() > MOST_DIGITS * 3:
                return None
        elif item is not None and not isinstance(item, float):
            return None
        size += 1
    return size


# -- text -------------------------------------------------------------------------------------------------------------

_WRAPPED = {
    "width": int,
    "initial_indent": str,
    "subsequent_indent": str,
    "expand_tabs": bool,
    "replace_whitespace": bool,
    "fix_sentence_endings": bool,
    "break_long_words": bool,
    "drop_whitespace": bool,
    "break_on_hyphens": bool,
    "tabsize": int,
    "max_lines": int | None,
    "placeholder": str,
}
_SHOWN = {
    "indent": int,
    "width": int,
    "depth": int | None,
    "compact": bool,
    "sort_dicts": bool,
    "underscore_numbers": bool,
}
MOST_WIDTH = 10_000
"""Of a line, a word."""
MOST_INDENT = 100
"""Of an indent, a tab, in characters; of levels that are shown."""


def _options(given: dict[str, Any], known: Mapping[str, type | UnionType]) -> dict[str, Any]:
    value: Any
    for name, value in given.items():
        if name not in known or not isinstance(value, known[name]):
            raise TypeError(f"no option {name!r:.60} of that type")
        most = MOST_WIDTH if name in ("width", "max_lines") else MOST_INDENT
        if isinstance(value, str):
            value = len(value)
        if value is not None and value > most:
            raise ValueError(f"{name} is at most {most:,} here")
    return given


def _wrap(text: str, options: dict[Any, Any]) -> list[str]:
    """Cutting up one long word, or a long blank, takes time that is quadratic in its length."""
    options = _options(options, _WRAPPED)
    if options.get("expand_tabs", True):
        width = options.get("tabsize", 8)
        if len(text) + text.count("\t") * width > FUNCTIONS["textwrap.wrap"].most:
            raise ValueError("textwrap makes no more of tabs than it takes here: pass less")
        text = text.expandtabs(width)
    if max(map(len, re.split(r"(\s+)", text))) > MOST_WIDTH:
        raise ValueError(f"textwrap takes words and blanks of at most {MOST_WIDTH:,} characters here")
    options = {"width": 70, "initial_indent": "", "subsequent_indent": "", **options}
    if 0 < options["width"] <= max(len(options["initial_indent"]), len(options["subsequent_indent"])):
        raise ValueError("width must be larger than the indents")  # CPython may never end
    return textwrap.wrap(text, **options)


def _pformat(value: Any, options: dict[Any, Any]) -> str:
    return pprint.pformat(value, **_options(options, _SHOWN))


# -- addresses of the web ---------------------------------------------------------------------------------------------


def _split(url: str, scheme: str, fragments: bool) -> list[Any]:
    parts = urllib.parse.urlsplit(url, scheme, fragments)
    try:
        port = parts.port
    except ValueError as error:
        port = [str(error)]  # type: ignore[assignment]
    return [*parts, parts.username, parts.password, parts.hostname, port]


def _unsplit(parts: list[Any]) -> str:
    return str(urllib.parse.urlunsplit(parts))


def _pairs(query: str, blanks: bool, strict: bool, separator: str) -> list[tuple[str, str]]:
    return urllib.parse.parse_qsl(query, blanks, strict, separator=separator)


def _quote(text: str | bytes, safe: str, plus: bool) -> str:
    return urllib.parse.quote_plus(text, safe) if plus else urllib.parse.quote(text, safe)


def _unquote(text: str, plus: bool) -> str:
    return urllib.parse.unquote_plus(text) if plus else urllib.parse.unquote(text)


# -- JSON -------------------------------------------------------------------------------------------------------------


class _Pairs(list[tuple[str, Any]]):
    """An object, in which a key may stand twice."""


@dataclass(frozen=True)
class _Number:
    """What a text has of a number, and of which kind."""

    kind: str
    text: str


def _fault(text: str, strict: bool) -> list[Any]:
    """What is wrong with a text, and where; nothing where it is right."""
    try:
        json.loads(text, strict=strict)
    except json.JSONDecodeError as error:
        return [error.msg, error.pos]
    return []


def _end(text: str, strict: bool) -> list[Any]:
    """What is wrong with the value that a text begins with, and where; or nothing, and its end."""
    try:
        return ["", json.JSONDecoder(strict=strict).raw_decode(text)[1]]
    except json.JSONDecodeError as error:
        return [error.msg, error.pos]


def _json_parts(text: str, strict: bool) -> list[tuple[str, Any]]:
    """The values in a text, those in others before these: lists and objects by how many of them they hold."""
    value = json.loads(
        text,
        strict=strict,
        object_pairs_hook=_Pairs,
        parse_float=partial(_Number, "f"),
        parse_int=partial(_Number, "i"),
        parse_constant=partial(_Number, "c"),
    )
    out: list[tuple[str, Any]] = []
    rest: list[Any] = [value]
    while rest:
        match rest.pop():
            case _Pairs() as pairs:
                out.append(("{", 2 * len(pairs)))
                rest += [part for pair in pairs for part in pair]
            case list(items):
                out.append(("[", len(items)))
                rest += items
            case _Number(kind, number):
                out.append((kind, number))
            case scalar:
                out.append(("=", scalar))
    return out[::-1]


# -- numbers ----------------------------------------------------------------------------------------------------------

_OF_ONE = ("mean", "geometric_mean", "harmonic_mean", "stdev", "pstdev", "variance", "pvariance")
_OF_TWO = ("correlation", "covariance", "linear_regression")
MOST_FLOAT = 2**1023
"""Of an int among numbers: sums of squares of longer ones take long."""


def _statistic(name: str, xs: list[Any], more: list[Any]) -> Any:
    """Of numbers, `more` being a second sample or other arguments of the function."""
    numbers = xs + more[0] if more and isinstance(more[0], list) else xs
    if not all(isinstance(x, float) or (isinstance(x, int) and -MOST_FLOAT < x < MOST_FLOAT) for x in numbers):
        raise TypeError(f"statistics.{name} takes int and float here")
    if name in _OF_ONE:
        return getattr(statistics, name)(xs, *more)
    if name not in _OF_TWO:
        raise TypeError(f"no function {name!r:.60}")
    found = getattr(statistics, name)(xs, *more)
    return found if isinstance(found, float) else list(found)


# -- differences ------------------------------------------------------------------------------------------------------


class _Matcher(difflib.SequenceMatcher[Any]):
    """Counts what it does, and stops where that is too much: two sequences may take cubic time."""

    a: Sequence[Any]

    def __init__(self, isjunk: Any = None, a: Any = "", b: Any = "", autojunk: bool = True) -> None:
        self.work = 0
        super().__init__(isjunk, "", "", autojunk)
        self.set_seq2(b)
        self.set_seq1(a)

    def spend(self, work: int) -> None:
        self.work += work
        if self.work > MOST_WORK:
            raise ValueError(f"difflib makes at most {MOST_WORK:,} comparisons here: compare smaller pieces")

    def set_seq1(self, a: Any) -> None:
        super().set_seq1(a)
        places: dict[Any, list[int]] = getattr(self, "b2j", {})
        self._sums = [0]
        for item in a:
            self._sums.append(self._sums[-1] + 1 + len(places.get(item, ())))

    def find_longest_match(self, alo: int = 0, ahi: int | None = None, blo: int = 0, bhi: int | None = None) -> Any:
        ahi = len(self.a) if ahi is None else ahi
        self.spend(self._sums[ahi] - self._sums[alo] + 1)
        return super().find_longest_match(alo, ahi, blo, bhi)


def _matches(a: str | list[Any], b: str | list[Any], autojunk: bool) -> list[list[int]]:
    matcher = _Matcher(None, a, b, autojunk)
    return [list(block) for block in matcher.get_matching_blocks()]


def _close_matches(word: str, candidates: list[Any], n: int, cutoff: float) -> list[str]:
    """As `difflib.get_close_matches`, whose matcher has no bound."""
    if n <= 0 or not 0.0 <= cutoff <= 1.0:
        raise ValueError("n must be > 0, and cutoff in [0.0, 1.0]")
    matcher, found = _Matcher(), []
    matcher.set_seq2(word)
    for candidate in candidates:
        matcher.set_seq1(candidate)
        if matcher.real_quick_ratio() >= cutoff and matcher.quick_ratio() >= cutoff and matcher.ratio() >= cutoff:
            found.append((matcher.ratio(), candidate))
    return [candidate for _, candidate in sorted(found, reverse=True)[:n]]


def _compared(old: list[Any], new: list[Any], are_blanks_junk: bool) -> list[str]:
    """As `difflib.Differ().compare`, whose many matchers have one bound together: each of some lines with each other.

    How alike two lines may be at most is counted character by character.
    """
    work = 0

    class Matcher(_Matcher):
        def spend(self, more: int) -> None:
            nonlocal work
            work = self.work = work + more
            super().spend(0)

        def set_seq1(self, a: Any) -> None:
            self.spend(20 + 4 * len(a))
            super().set_seq1(a)

        def set_seq2(self, b: Any) -> None:
            self.spend(len(old) + 4 * len(b))
            super().set_seq2(b)

    if not all(isinstance(line, str) for line in old + new):
        raise TypeError("difflib compares lists of str here")
    names = {**vars(difflib), "SequenceMatcher": Matcher}
    methods = {
        name: FunctionType(method.__code__, names, name, method.__defaults__)
        for name, method in vars(difflib.Differ).items()
        if isinstance(method, FunctionType)
    }
    differ = type("Differ", (), methods)
    return list(differ(None, difflib.IS_CHARACTER_JUNK if are_blanks_junk else None).compare(old, new))


# -- trees: each node a record that names its parts by their places in the list --------------------------------------

MOST_NODES = 100_000
MOST_DEEP = 500
"""Elements in elements: the sandbox goes down into them by recursion."""
MOST_BRACES = 15_000
"""Each may begin a piece of an f-string: CPython up to 3.11 takes time for it that grows with its place."""


def _python(source: str, mode: str) -> list[Any]:
    """The syntax tree: the fields of each kind, and a record for each node.

    That is `[kind, plain, nodes, lists]`: attributes that are plain data, those that are nodes, by their places among
    the records, and those that are lists of nodes. A constant without a value is `...`.
    """
    if source.count("{") > MOST_BRACES:
        raise ValueError(f"a source has at most {MOST_BRACES:,} braces here: parse a part of the text")
    if mode not in ("exec", "eval", "single"):
        raise ValueError("mode must be 'exec', 'eval' or 'single'")
    nodes: list[ast.AST] = [parsed(source, mode)]
    shared: dict[ast.AST, int] = {}
    records: list[Any] = []

    def place(node: ast.AST) -> int:
        if node in shared:
            return shared[node]
        nodes.append(node)
        if isinstance(node, _SHARED):
            shared[node] = len(nodes) - 1
        return len(nodes) - 1

    for node in nodes:  # it grows
        if len(nodes) > MOST_NODES:
            raise ValueError(f"a tree has at most {MOST_NODES:,} nodes here: parse a part of the text")
        records.append([type(node).__name__, *_attributes(node, place)])
    return [{type(node).__name__: list(node._fields) for node in nodes}, records]


_SHARED = (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)
"""Kinds of nodes of which a tree has one, wherever it stands."""


def _attributes(
    node: ast.AST, place: Callable[[ast.AST], int]
) -> tuple[dict[str, Any], dict[str, int], dict[str, list[Any]]]:
    """What a node has: plain data, nodes and lists of nodes, each as its `place`."""
    plain: dict[str, Any] = {name: getattr(node, name) for name in node._attributes if hasattr(node, name)}
    inner, lists = dict[str, int](), dict[str, list[Any]]()
    for name, value in ast.iter_fields(node):
        if isinstance(value, ast.AST):
            inner[name] = place(value)
        elif isinstance(value, list) and any(isinstance(item, ast.AST) for item in value):
            lists[name] = [item and place(item) for item in value]
        elif isinstance(value, complex):
            raise ValueError("complex numbers are not there")
        elif value is not ...:
            plain[name] = value
    return plain, inner, lists


def _unparse(records: list[Any]) -> str:
    """The code of a tree that is given as `_python` gives it, without the places in the source."""
    made = [_node(kind) for kind, _ in records]
    used = set[int]()

    def whole(part: Any, above: int) -> Any:
        match part:
            case ["node", int(place)] if above < place < len(made) and place not in used:
                used.add(place)  # a node that stands in two places could make the text exponentially long
                return made[place]
            case ["list", list(parts)]:
                return [whole(item, above) for item in parts]
            case ["value", value]:
                return value
            case ["ellipsis"]:
                return ...
            case ["imaginary", float(value)]:
                return complex(0, value)
        raise TypeError("no syntax tree")

    for place, (_, fields) in enumerate(records):
        for name, part in fields.items():
            setattr(made[place], name, whole(part, place))
    return ast.unparse(ast.fix_missing_locations(made[0]))


def _node(kind: object) -> ast.AST:
    found = getattr(ast, kind, None) if isinstance(kind, str) else None
    if not (isinstance(found, type) and issubclass(found, ast.AST)):
        raise TypeError("no syntax tree")
    return found()


def _literal(source: str) -> Any:
    value = ast.literal_eval(parsed(source.lstrip(" \t"), "eval"))
    if _size(value) is None:
        raise ValueError("literal_eval gives plain data here: no complex numbers")
    return value


def _xml(source: str) -> str:
    """The elements in their order, as JSON: `[tag, attributes, text, tail, place of the parent or None]`."""
    parser = expat.ParserCreate("utf-8", "}")
    parser.buffer_text = True
    elements: list[list[Any]] = []
    open_elements: list[int] = []
    pieces: list[str] = []
    last: list[Any] = []
    """The element that the characters in `pieces` belong to, and whether after its end."""

    def settle() -> None:
        if pieces:
            element, slot = last
            element[slot] = "".join(pieces)
            pieces.clear()

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal last
        if len(open_elements) >= MOST_DEEP:
            raise ValueError(f"elements are nested at most {MOST_DEEP:,} deep here")
        if len(elements) >= MOST_NODES:
            raise ValueError(f"a tree has at most {MOST_NODES:,} elements here: parse a part of the text")
        settle()
        named = {_qualified(name): value for name, value in attributes.items()}
        elements.append([_qualified(tag), named, None, None, open_elements[-1] if open_elements else None])
        open_elements.append(len(elements) - 1)
        last = [elements[-1], 2]

    def end(tag: str) -> None:
        nonlocal last
        settle()
        last = [elements[open_elements.pop()], 3]

    def refuse(*_: object) -> None:
        raise ValueError("a DOCTYPE is not read here: it may define entities. Cut it out of the text.")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = pieces.append, refuse
    try:
        parser.Parse(source.encode("utf-8", "surrogatepass"), True)
    except expat.ExpatError as error:
        raise SyntaxError(str(error)) from None
    return json.dumps(elements)


def _qualified(name: str) -> str:
    return "{" + name if "}" in name else name


# -- mails ------------------------------------------------------------------------------------------------------------

MOST_HEADER = 20_000
"""Characters of one: reading one may take time that is quadratic in it."""
MOST_FIELDS = 30_000
"""Lines that may be headers."""
MOST_MATCHES = 5_000_000
"""Of a line with a boundary, all of which may be open at once."""


def _mail(source: str, is_modern: bool) -> list[Any]:
    """The parts of a mail in their order: `[headers, payload or None, facts of the type, place of the parent]`.

    The headers are as they stand, or decoded, where it is modern.
    """
    if len(re.findall(r"(?m)^[^:\s]+:", source)) > MOST_FIELDS:
        raise ValueError(f"a mail has at most {MOST_FIELDS:,} headers here")
    if source.count("\n") * (1 + source.lower().count("boundary")) > MOST_MATCHES:
        raise ValueError(f"a mail has at most {MOST_MATCHES:,} lines times parts here")
    parts: list[tuple[Any, int | None]] = [(email.message_from_string(source), None)]
    records: list[Any] = []
    for place, (part, parent) in enumerate(parts):  # it grows
        payload = part.get_payload()
        if isinstance(payload, list):
            parts += [(inner, place) for inner in payload]
        shown = _plain_header if is_modern else str
        headers = [[name, shown(value)] for name, value in part.raw_items()]
        records.append([headers, payload if isinstance(payload, str) else None, _facts(part), parent])
    return records


def _facts(part: email.message.Message) -> dict[str, Any]:
    for name in ("content-type", "content-disposition"):
        if len(str(part.get(name, ""))) > MOST_HEADER:
            raise ValueError(f"a mail's {name} has at most {MOST_HEADER:,} characters here")
    return {
        "content_type": part.get_content_type(),
        "charset": part.get_content_charset(),
        "filename": part.get_filename(),
        "disposition": part.get_content_disposition(),
        "boundary": part.get_boundary(),
        "multipart": part.is_multipart(),
    }


def _decoded(payload: str, encoding: str, charset: str) -> bytes:
    """A payload without its transfer encoding."""
    part = email.message.Message()
    part.set_payload(payload)
    part["content-transfer-encoding"] = encoding
    part["content-type"] = f'text/plain; charset="{charset}"'
    decoded = part.get_payload(decode=True)
    assert isinstance(decoded, bytes)
    return decoded


def _text_of(data: bytes, charset: str, errors: str) -> str:
    """Bytes in one of the character sets of texts, of which the sandbox has few."""
    return data.decode(*_charset(charset, errors))


def _bytes_of(text: str, charset: str, errors: str) -> bytes:
    return text.encode(*_charset(charset, errors))


def _charset(charset: str, errors: str) -> tuple[str, str]:
    if not re.fullmatch(
        r"(?i)utf-?8|us-ascii|ascii|((iso|windows|koi8|cp|gb|big|euc|shift|utf|mac|latin)[\w-]*)", charset
    ):
        raise LookupError(f"unknown encoding: {charset:.60}")
    if errors not in ("strict", "replace", "ignore", "backslashreplace", "xmlcharrefreplace"):
        raise LookupError(f"unknown error handler name {errors:.60}")
    return charset, errors


def _header_pieces(header: str) -> list[tuple[str | bytes, str | None]]:
    return email.header.decode_header(header)


def _plain_header(value: object) -> str:
    """On one line, and decoded."""
    header = re.sub("[\r\n]", "", str(value))
    if len(header) > MOST_HEADER:
        raise ValueError(f"a header has at most {MOST_HEADER:,} characters here")
    if "=?" not in header:
        return header
    return "".join(map(_piece_text, email.header.decode_header(header)))


def _piece_text(piece: tuple[str | bytes, str | None]) -> str:
    """What stands between encoded words is escaped where it is not of ASCII."""
    data, charset = piece
    return data if isinstance(data, str) else data.decode(charset or "raw-unicode-escape", "replace")


FUNCTIONS: dict[str, Function] = {
    "html.unescape": Function(html.unescape, (str,), 1_000_000),
    "json.fault": Function(_fault, (str, bool), 1_000_000),
    "json.end": Function(_end, (str, bool), 1_000_000),
    "json.parts": Function(_json_parts, (str, bool), 300_000),
    "textwrap.wrap": Function(_wrap, (str, dict), 300_000),
    "textwrap.dedent": Function(textwrap.dedent, (str,), 1_000_000),
    "pprint.pformat": Function(_pformat, (object, dict), 100_000),
    "urllib.split": Function(_split, (str, str, bool), 100_000),
    "urllib.unsplit": Function(_unsplit, (list,), 100_000),
    "urllib.join": Function(urllib.parse.urljoin, (str, str, bool), 100_000),
    "urllib.pairs": Function(_pairs, (str, bool, bool, str), 1_000_000),
    "urllib.quote": Function(_quote, (str | bytes, str, bool), 1_000_000),
    "urllib.unquote": Function(_unquote, (str, bool), 1_000_000),
    "statistics": Function(_statistic, (str, list, list), 100_000),
    "difflib.matches": Function(_matches, (str | list, str | list, bool), 200_000),
    "difflib.compare": Function(_compared, (list, list, bool), 50_000),
    "difflib.close": Function(_close_matches, (str, list, int, int | float), 200_000),
    "ast.parse": Function(_python, (str, str), 200_000),
    "ast.unparse": Function(_unparse, (list,), 200_000),
    "ast.literal_eval": Function(_literal, (str,), 200_000),
    "xml.parse": Function(_xml, (str,), 2_000_000),
    "quopri.decode": Function(quopri.decodestring, (bytes, bool), 1_000_000),
    "email.parse": Function(_mail, (str, bool), 2_000_000),
    "email.decode": Function(_decoded, (str, str, str), 2_000_000),
    "codec.encode": Function(_bytes_of, (str, str, str), 2_000_000),
    "codec.decode": Function(_text_of, (bytes, str, str), 2_000_000),
    "email.header_pieces": Function(_header_pieces, (str,), MOST_HEADER),
    "email.addresses": Function(email.utils.getaddresses, (list,), MOST_HEADER),
    "email.address": Function(email.utils.parseaddr, (str,), MOST_HEADER),
    "email.date": Function(email.utils.parsedate_to_datetime, (str,), 1_000),
}
"""By the name that the modules call them by."""
