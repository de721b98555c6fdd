"""A block of a reply that has run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from langgraph_rlm.conversation.literals import has_sources
from langgraph_rlm.repl.cells import Finished
from langgraph_rlm.repl.syntax import nodes_of, read, statements

NOTHING = ("", "None", "False", "[]", "()", "{}", "set()", "''", "deque([])", "Counter()", "dict_keys([])")
NO_COUNT = ("0", "-1")
"""What counting and searching give where there is nothing."""
_MISSES = re.compile(
    r"KeyError|IndexError|StopIteration|\w+Error: 'NoneType' object"
    r"|ValueError: (?:substring not found|.* (?:in list|empty))"
)
"""How errors begin that come of having found nothing."""
_COUNTS = ("find", "rfind", "count", "len", "sum")


@dataclass(frozen=True)
class RanBlock:
    """A block that has run: the `number`-th of the `blocks` of its reply. `note` says what became of the REPL."""

    code: str
    cell: Finished
    number: int
    blocks: int
    is_edited: bool = False
    """Whether it is not the model's own."""
    is_repeated: bool = False
    """Whether it ran before."""
    fails_again: bool = False
    """Whether the block before it raised the same error."""
    note: str | None = None
    has_answer: bool = False
    """Whether it has set an answer, which did not end the run if this is told."""
    answers: tuple[str, ...] = ()
    """Long answers that the code had, of which it may have printed some."""
    kept: int = 0
    """Answers that are kept of dropped cells, where this is one."""

    @property
    def found_nothing(self) -> bool:
        """Whether a search shows nothing: its output says no more than that, or it has none and was to have some.

        Or what it was to find is missed where it is used.
        """
        if self.has_answer or not has_sources(self.code) or not _looks_for_words(self.code):
            return False
        if self.cell.error:
            return any(map(_MISSES.match, _message(self.cell.error))) or self._misses_own_name
        if self.cell.printed.length:
            return _says_nothing(self.code, str(self.cell.printed))
        return bool(self.empty) or any(True for _ in _prints(statements(self.code), False))

    @property
    def _misses_own_name(self) -> bool:
        """Whether a name is missed that the code sets where it finds something."""
        stored = {node.id for node in read(self.code).of(ast.Name) if not isinstance(node.ctx, ast.Load)}
        missed = re.search(r"^(?:NameError|UnboundLocalError): .*?'(\w+)'", self.cell.error or "", re.M)
        return missed is not None and missed[1] in stored

    @property
    def empty(self) -> list[str]:
        """The variables that hold nothing after a search over the text, where the code printed nothing either."""
        if self.cell.printed.length or self.cell.error:
            return []
        empty = {variable.name for variable in self.cell.variables if variable.size == 0}
        return [
            target.id
            for statement in statements(self.code)
            if isinstance(statement, ast.Assign) and _reads_text(statement.value)
            for target in statement.targets
            if isinstance(target, ast.Name) and target.id in empty
        ]

    @property
    def misnamed_answer(self) -> str | None:
        """The variable that was to be the answer, as it seems: the last that the code set, named almost like it."""
        body = statements(self.code)
        match body[-1] if body else None:
            case ast.Assign(targets=[ast.Name(id=("final" | "FINAL") as name)]):
                return name
        return None


def found_by(code: str, printed: str) -> str:
    """What code has printed, without lines that only say that there is nothing, such as "No match found."."""
    none = _nothing_of(code)
    return "\n".join(line for line in printed.splitlines() if line.strip() not in none)


def _says_nothing(code: str, printed: str) -> bool:
    """Whether code has printed no more than that there is nothing, with its own words beside it, such as "Hits: []"."""
    none, labels = _nothing_of(code), sorted(_printed_words(code, is_whole=False), key=len, reverse=True)
    lines = (line for line in printed.splitlines() if line.strip() not in (*labels, *none))
    return all(_without(labels, line) in none for line in lines)


def is_message(words: str, codes: Iterable[str]) -> bool:
    """Whether words are what code prints where there is nothing."""
    return any(words in _printed_words(code, is_whole=True) for code in codes)


def _nothing_of(code: str) -> set[str]:
    """The lines by which code says that there is nothing: a message that it prints in some case alone is one."""
    counts = NO_COUNT if any(True for _ in _calls_of(code, *_COUNTS)) else ()
    return {*NOTHING, *counts, *_printed_words(code, is_whole=True)}


def _without(labels: Sequence[str], line: str) -> str:
    for words in labels:
        line = line.replace(words, "", 1)
    return line.strip()


def _printed_words(code: str, is_whole: bool) -> Iterator[str]:
    """Words of its own that code prints beside something else; or as all of a line (`is_whole`).

    The latter only where some of what it prints depends on the case.
    """
    prints = [*_prints(statements(code), False)]
    if is_whole and not any(is_in_case for _, is_in_case in prints):
        return
    for call, _ in prints:
        for words, is_alone in (words for part in call.args for words in _words_of(part, len(call.args) == 1)):
            if is_whole == is_alone and words.strip():
                yield words.strip()


def _words_of(value: ast.expr, is_alone: bool) -> Iterator[tuple[str, bool]]:
    """The words that a value consists of, or may be, and whether they stand alone."""
    waiting: list[tuple[ast.expr, bool]] = [(value, is_alone)]
    while waiting:
        part, is_alone = waiting.pop()
        match part:
            case ast.Constant(value=str(words)):
                yield words, is_alone
            case ast.BoolOp(values=parts):
                waiting += [(other, is_alone) for other in parts]
            case ast.JoinedStr(values=parts):
                waiting += [(other, is_alone and len(parts) == 1) for other in parts]
            case ast.IfExp(body=one, orelse=other):
                waiting += [(one, is_alone), (other, is_alone)]
            case ast.BinOp(left=one, right=other):
                waiting += [(one, False), (other, False)]
            case ast.FormattedValue(value=one):
                waiting.append((one, False))


def _prints(body: Sequence[ast.AST], is_in_case: bool) -> Iterator[tuple[ast.Call, bool]]:
    """The calls of `print` that run with the code itself, and whether they do in some case alone."""
    waiting = [(node, is_in_case) for node in body]
    while waiting:
        node, is_in_case = waiting.pop()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Lambda():
                continue
            case ast.Call(func=ast.Name(id="print")):
                yield node, is_in_case or any(isinstance(part, ast.IfExp | ast.BoolOp) for part in node.args)
        is_case = is_in_case or isinstance(node, ast.If | ast.For | ast.While | ast.Try | ast.Match)
        waiting += [(part, is_case) for part in ast.iter_child_nodes(node)]


def fails_again(error: str | None, earlier: Sequence[str | None]) -> bool:
    """Whether an error is that of the latest block before."""
    return bool(error and earlier and earlier[-1]) and _message(error) == _message(earlier[-1])


def _message(error: str | None) -> list[str]:
    """An error without the places that it went through."""
    return [line for line in (error or "").splitlines() if not line.startswith(" ")]


def is_repeated(code: str, printed: str, earlier: Sequence[tuple[str, str]]) -> bool:
    """Whether code ran before, laid out otherwise perhaps, and printed the same: `earlier` has both of each block."""
    own = _form(code)
    return any(printed == output and own == _form(other) for other, output in earlier if other)


def _form(code: str) -> str:
    """Code without its comments and blanks."""
    try:
        return "\n".join(map(ast.dump, statements(code))) or code.strip()
    except RecursionError:
        return code.strip()


def _calls_of(code: str, *names: str) -> Iterator[ast.Call]:
    """The calls of functions and methods of these names."""
    for node in read(code).nodes:
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in names:
                yield node


def _looks_for_words(code: str) -> bool:
    """Whether code may search for words: marks alone, such as a tab, are a look at the form of the text."""
    constants = [node.value for node in read(code).of(ast.Constant) if isinstance(node.value, str)]
    return not constants or any(character.isalnum() for words in constants for character in words)


def _reads_text(value: ast.expr) -> bool:
    nodes = nodes_of([value])
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return bool(names & {"P", "context", "ctx", "documents", "rows"}) or any(map(_greps_text, nodes))


def _greps_text(node: ast.AST) -> bool:
    """Whether `grep` is called, with no texts of the code's own."""
    match node:
        case ast.Call(func=ast.Name(id="grep"), args=[] | [_], keywords=keywords):
            return all(keyword.arg != "texts" for keyword in keywords)
    return False
