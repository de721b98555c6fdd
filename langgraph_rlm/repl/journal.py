"""What a REPL was told, from the first cell of its thread: enough to have it again.

The sandbox is deterministic: a cell that gets the same answers does the same. So a checkpoint needs no more than the
cells and the answers, which it has anyway, and a dump of the REPL only saves the time to run them again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langgraph_rlm.asking.requests import TOOL, Answer
from langgraph_rlm.repl.host import HostResult, result_of
from langgraph_rlm.repl.lookahead import AnswersByKey, Place
from langgraph_rlm.repl.packed import VERSION, is_loadable
from langgraph_rlm.repl.printed import OutputCap, Printed

Event = list[Any]
"""One of these, in the order in which they happened:

`["version", version]` from here on, cells run in this version of the sandbox. Early versions did not write it;
`["cell", code, setup]` a cell began, the one before it was left; with variables that it was given, if any, at the end;
`["reply", reply]` the host answered the cell's next call itself;
`["call", digest, prompts, batch, keys]` the cell was suspended at a call of that many prompts, named by their keys; a
    key is empty where the answer is no other cell's. Earlier versions wrote no keys;
`["ahead", keys]` with it, prompts are asked that the code is likely to come to, by their keys;
`["answer", index, value, error]` one of them was answered, in any order; those asked ahead come after the call's own;
    at its end is `"tool"` where a tool has answered;
`["dropped"]` what was asked ahead before this call is not what the code comes to: nothing takes it any more;
`["unasked", index]` one that was to be asked ahead was not: for a limit, or since it waits for somebody;
`["took", index, place, guess]` a prompt of the call was the prompt `guess` of the call at that place: one asked ahead,
    or one of a dropped cell;
`["end", has_failed]` the cell finished, and what it did stays; whether by an error, early versions did not write;
`["undo"]` it does not stay;
`["base"]` the text was replaced: what was before can be had from a dump only;
`["lost"]` the REPL could not be had again: it was empty from here on.

Answers that came in one superstep may be read in another order than they were written in.
"""
_KeyedAnswers = dict[Place, tuple[str, Answer]]
"""Answers by where they stand in the journal, each with the key of its prompt."""


@dataclass(frozen=True)
class Exchange:
    """A call that left the sandbox, as it was answered. `digest` names the prompts where models were asked."""

    result: HostResult
    digest: str | None = None


@dataclass
class Cell:
    """A cell's code, the host's own code and the variables before it, what it printed, its calls so far.

    `has_failed`: whether it ended by an error; None where it has not ended, or nobody knows.
    """

    code: str
    setup: str
    variables: Mapping[str, Any]
    printed: Printed
    exchanges: list[Exchange] = field(default_factory=list)
    has_failed: bool | None = None


@dataclass(frozen=True)
class Suspension:
    """A cell that waits for the answers to the call that `digest` names.

    `dump` is the REPL after the first `exchange_count` exchanges of the cell, where there is one.
    """

    cell: Cell
    digest: str
    dump: bytes | None = None
    exchange_count: int = 0


@dataclass(frozen=True)
class RestorePlan:
    """What makes a REPL again: a dump, or an empty one, the cells that ran since, and the one that waits.

    `note` says what could not be done as it should; `is_lost`, that the REPL is an empty one for that. `version` is the
    sandbox in which the cells ran.
    """

    base: bytes | None = None
    cells: tuple[Cell, ...] = ()
    suspension: Suspension | None = None
    note: str | None = None
    is_lost: bool = False
    version: str | None = None


@dataclass
class _OpenCall:
    digest: str
    prompts: int
    batch: bool
    answers: dict[int, Answer] = field(default_factory=dict)

    @property
    def is_answered(self) -> bool:
        return all(index in self.answers for index in range(self.prompts))

    def exchange(self) -> Exchange:
        return Exchange(result_of([self.answers[i] for i in range(self.prompts)], self.batch), self.digest)


def answers_so_far(events: Sequence[Event]) -> dict[int, Answer]:
    """The answers to the latest call and to what was asked ahead with it, by the index of the prompt."""
    answers: dict[int, Answer] = {}
    for event in reversed(events):
        match event:
            case ["answer" | "took", index, *_]:
                answers.setdefault(index, _answer_of(event, events))
            case ["unasked", index]:
                answers.setdefault(index, Answer(error="not asked"))
            case ["ahead", _] | ["dropped"]:
                pass
            case _:
                break
    return answers


def _answer_of(event: Event, events: Sequence[Event]) -> Answer:
    """What an `answer` says, or the one that was `took`."""
    if event[0] == "took":
        _, _, place, *guess = event
        if not guess:  # of an earlier version, where it was the place of the answer itself
            return _answer_of(events[place], events)
        event = next(later for later in events[place + 1 :] if later[:2] == ["answer", *guess])
    _, _, value, error, *_ = event
    return Answer(value, error)


def unclaimed_answers(events: Sequence[Event]) -> AnswersByKey:
    """What became of prompts of the latest cell that were asked ahead and that the code has not come to."""
    unclaimed: _KeyedAnswers = {}
    call, prompts, keys = 0, 0, list[str]()
    began = max((place for place, event in enumerate(events) if event[0] == "cell"), default=0)
    for place, event in enumerate(events[began:], began):
        match event:
            case ["call", _, prompts, _, *_]:
                call, keys = place, []
            case ["ahead", keys]:
                pass
            case ["answer", index, value, error, *_] if index >= prompts:
                unclaimed[call, index] = (keys[index - prompts], Answer(value, error))
            case ["took", _, *claimed]:
                unclaimed.pop(tuple(claimed), None)
            case ["dropped"]:
                unclaimed = {}
    return _by_key(unclaimed)


def kept_answers(events: Sequence[Event], is_suspended: bool) -> AnswersByKey:
    """What models have answered to cells that were dropped, and that no cell since has taken.

    The latest cell, if it has not ended, goes on where it `is_suspended`, and was dropped where not. What a dropped
    cell had taken is there again. The variables that held an answer are gone with the cell, so nobody has it twice.
    """
    kept: _KeyedAnswers = {}
    given: _KeyedAnswers = {}
    ended = list[_KeyedAnswers]()
    call, keys = 0, list[str]()
    for place, event in enumerate(events):
        match event:
            case ["cell", *_]:
                kept, given = kept | given, {}
            case ["call", _, prompts, _, *own]:
                call, keys = place, own[0] if own else [""] * prompts
            case ["ahead", ahead]:
                keys = [*keys, *ahead]
            case ["answer", index, value, None, *_] if keys[index] and not keys[index].startswith(TOOL):
                given[call, index] = keys[index], Answer(value)
            case ["took", _, *claimed] if tuple(claimed) in kept:
                given[claimed[0], claimed[1]] = kept.pop((claimed[0], claimed[1]))
            case ["end", *_]:
                ended.append(given)
                given = {}
            case ["undo"] if ended:
                kept |= ended.pop()
            case ["lost"]:
                for answers in ended:
                    kept |= answers
                ended = []
    return _by_key(kept if is_suspended else kept | given)


def _by_key(answers: _KeyedAnswers) -> AnswersByKey:
    by_key: AnswersByKey = {}
    for place in sorted(answers):
        key, answer = answers[place]
        by_key.setdefault(key, deque()).append((place, answer))
    return by_key


def _base_of(events: Sequence[Event], cell_end: list[Any]) -> tuple[bytes | None, int, str | None, bool]:
    """The dump to begin with, the place from which to go on, and the note and the loss that a plan tells of."""
    marks = (place for place, event in enumerate(events) if event in (["base"], ["lost"]))
    start = 1 + max(marks, default=-1)
    is_dumped = bool(cell_end) and cell_end[1] >= start
    if is_dumped and is_loadable(cell_end[0]):
        base, place = cell_end
        return base, place, None, False
    if start > 0 and events[start - 1] == ["base"]:
        return None, start, "The REPL of an earlier text cannot be had: its variables are gone.", True
    return None, start, None, False


def _version_of(events: Sequence[Event]) -> str | None:
    return next((event[1] for event in reversed(events) if event[0] == "version"), None)


def restore_plan(
    events: Sequence[Event], cell_end: list[Any], suspension: list[Any], is_suspended: bool, output_cap: OutputCap
) -> RestorePlan:
    """How to have the REPL again. `cell_end` and `suspension` are dumps with their place in `events`, or empty.

    Raises:
        SandboxError: A dump is damaged.
    """
    base, start, note, is_lost = _base_of(events, cell_end)
    cells: list[Cell] = []
    cell: Cell | None = None
    call: _OpenCall | None = None
    exchange_count: int | None = None
    for place, event in enumerate(events[start:], start):
        if call is not None and event[0] not in ("answer", "took", "ahead", "unasked", "dropped"):
            is_refused = event[0] == "reply" and not call.is_answered
            if cell is not None and (is_refused or call.is_answered):
                cell.exchanges.append(Exchange(event[1], call.digest) if is_refused else call.exchange())
            call = None
            if is_refused:
                continue
        match event:
            case ["cell", code, setup, *variables]:
                cell, exchange_count = Cell(code, setup, variables[0] if variables else {}, Printed(output_cap)), None
            case ["reply", {"exc_type": "ModuleNotFoundError"}]:
                pass  # of an early version: whether there is a module can be worked out again
            case ["reply", reply] if cell is not None:
                cell.exchanges.append(Exchange(reply))
            case ["call", digest, prompts, batch, *_]:
                call = _OpenCall(digest, prompts, batch)
                if suspension and suspension[1] == place + 1 and cell is not None:
                    exchange_count = len(cell.exchanges)
            case ["answer" | "took", index, *_] if call is not None:
                call.answers[index] = _answer_of(event, events)
            case ["end", *has_failed] if cell is not None:
                cell.has_failed = has_failed[0] if has_failed and not is_lost else None  # it may, where names are gone
                cells.append(cell)
                cell = None
            case ["undo"] if cells:
                cells.pop()
    waiting = None
    version = _version_of(events)
    if cells and version != VERSION:
        note = note or "The REPL was stored by another version of the sandbox: its cells ran again, in this one."
    if is_suspended and cell is not None and call is not None:
        waiting = Suspension(cell, call.digest)
        if exchange_count is not None and is_loadable(suspension[0]):
            dump, _, *printed = suspension
            cell.printed = Printed(output_cap, *printed)
            waiting = Suspension(cell, call.digest, dump, exchange_count)
        elif exchange_count is not None or version != VERSION:
            note = note or "The cell was stored by another version of the sandbox: it ran again from its start."
    return RestorePlan(base, tuple(cells), waiting, note, is_lost, version)
