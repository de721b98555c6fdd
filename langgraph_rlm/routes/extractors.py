"""Answers that stand in the text as they are: found by code, without a model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from langgraph.errors import GraphBubbleUp

from langgraph_rlm.context import Context
from langgraph_rlm.context.files import clean
from langgraph_rlm.errors import ExtractorError, InvalidInput

Extractor = Callable[[str, Context], str | None]
"""Finds an answer in the text without a model, or returns None: `(query, context) -> answer`. It may be called in any
thread, and again where a run is resumed."""


@dataclass(frozen=True)
class Found:
    """An answer, and the name of the extractor that found it."""

    answer: str
    by: str


def after(marker: str) -> Extractor:
    """An extractor of what follows `marker` on its line, without the space around it.

    It answers only where that is the same at every place of the marker, letter by letter. It does not look at the
    question.

    Raises:
        InvalidInput: `marker` is no text, or empty.
    """
    if not isinstance(marker, str) or not marker:
        raise InvalidInput(f"after({marker!r}): the text that stands before the answer is needed.")
    return _After(marker)


def regex(pattern: str | re.Pattern[str], group: int | str | None = None) -> Extractor:
    """An extractor of what a group of `pattern` matches: by default the first group, or all where there is none.

    It answers only where that is the same in every match of the text, and each match has the group. It does not look
    at the question.

    Raises:
        InvalidInput: `pattern` is no regular expression of `re`, or has no such group.
    """
    try:
        compiled = re.compile(pattern)
        chosen = min(1, compiled.groups) if group is None else group
        known = compiled.groupindex if isinstance(chosen, str) else range(compiled.groups + 1)
        if chosen not in known:
            raise InvalidInput(f"regex({compiled.pattern!r}) has no group {group!r}.")
        if isinstance(compiled.pattern, bytes):
            raise InvalidInput(f"regex({compiled.pattern!r}): a pattern for str is needed.")
    except (re.error, TypeError) as error:
        raise InvalidInput(f"regex({pattern!r}): {error}.") from error
    return _Regex(compiled, chosen)


def run_extractors(extractors: Iterable[Extractor], query: str, context: Context) -> Found | None:
    """The first answer of these extractors, or else of the built-in one. One that finds only space finds nothing.

    Raises:
        ExtractorError: An extractor raised something, or returned neither a str nor None.
    """
    from langgraph_rlm.routes.fields import field  # its patterns take a while, and few profiles look for a field

    for extractor in (*extractors, field):
        name = name_of(extractor)
        try:
            answer: object = extractor(query, context)
        except GraphBubbleUp:
            raise
        except Exception as failure:
            raise ExtractorError(name, f"it raised {type(failure).__name__}: {failure}") from failure
        if answer is not None and not isinstance(answer, str):
            raise ExtractorError(name, f"it returned {type(answer).__name__}, neither a str nor None")
        if answer and not answer.isspace():
            return Found(clean(answer), name)
    return None


def name_of(extractor: Extractor) -> str:
    """What an extractor is called in messages."""
    return getattr(extractor, "__qualname__", None) or repr(extractor)


@dataclass(frozen=True, repr=False)
class _After:
    marker: str

    def __call__(self, query: str, context: Context) -> str | None:
        text = context.text
        return _one(
            text[start : end if end >= 0 else None].strip()
            for start, end in ((start, text.find("\n", start)) for start in self._ends(text))
        )

    def _ends(self, text: str) -> Iterable[int]:
        place = text.find(self.marker)
        while place >= 0:
            yield place + len(self.marker)
            place = text.find(self.marker, place + len(self.marker))

    def __repr__(self) -> str:
        return f"after({self.marker!r})"


@dataclass(frozen=True, repr=False)
class _Regex:
    pattern: re.Pattern[str]
    group: int | str

    def __call__(self, query: str, context: Context) -> str | None:
        return _one(match[self.group] for match in self.pattern.finditer(context.text))

    def __repr__(self) -> str:
        return f"regex({self.pattern.pattern!r})"


def _one(values: Iterable[str | None]) -> str | None:
    """The value that all of these are; None where they differ, or there is none."""
    found = None
    for value in values:
        if value is None or (found is not None and value != found):
            return None
        found = value
    return found
