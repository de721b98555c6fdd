"""What a reply or a finished cell leads to: the next block, another turn, the check of an answer, the end."""

from __future__ import annotations

from typing import Any, Literal

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END
from langgraph.types import Command, Overwrite

from langgraph_rlm.answers.citations import MOST_CITATIONS, citations
from langgraph_rlm.answers.schema import Unfit
from langgraph_rlm.conversation import prompts
from langgraph_rlm.conversation.dialects.replies import Code, Nothing, Text
from langgraph_rlm.conversation.history import Stuck, cut_of_latest, is_aided, latest_reply
from langgraph_rlm.conversation.ran import RanBlock, fails_again, is_repeated
from langgraph_rlm.conversation.sub_answers import long_answers
from langgraph_rlm.nodes.aid import go_on
from langgraph_rlm.nodes.checking import to_check
from langgraph_rlm.nodes.doubts import doubt_of
from langgraph_rlm.nodes.ending import answer_schema_of, answer_update
from langgraph_rlm.nodes.turn import CellInput, asked_of, next_turn
from langgraph_rlm.repl.cells import Finished
from langgraph_rlm.repl.journal import kept_answers
from langgraph_rlm.repl.printed import OutputCap, Printed
from langgraph_rlm.routes.profiles import PROFILES
from langgraph_rlm.running.run import read, run_of
from langgraph_rlm.running.spec import RLMSpec
from langgraph_rlm.state import append_new

NOTHING_RAN = RanBlock("", Finished(Printed(OutputCap(0, 0)), None, ()), 0, 0, has_answer=True)
"""In place of a block, where an answer is stated in words."""


def conclude_reply(spec: RLMSpec, state: CellInput, config: RunnableConfig) -> Command[Any]:
    """A reply without code ends the run with the answer it states, or another one is asked for."""
    history = read(config, "history")
    reply, cut = latest_reply(history), cut_of_latest(history)
    said = Nothing(cut, is_prose=False) if cut else spec.dialect.parse(reply)
    entry = {"step": state["step"], "depth": spec.depth, "reply": reply, "code": "", "output": "", "subcalls": []}
    if isinstance(said, Text):
        has_help = spec.dialect.aid(NOTHING_RAN, prompts.NOT_TOLD) is not None
        doubt = doubt_of(spec, state, config, said.answer, is_unseen=False, has_asked=False) if has_help else None
        if doubt is None:
            return _conclude_answer(spec, state, config, {"trajectory": [entry | {"error": None}]}, said.answer)
        update = {"trajectory": [entry | {"error": None, "doubt": doubt}]}
        return go_on(spec, state, config, update, NOTHING_RAN, doubt=doubt)
    feedback = said.feedback
    update = {"trajectory": [entry | {"error": feedback or None}]}
    last_words = reply if isinstance(said, Nothing) and said.is_prose and reply.strip() else None
    return next_turn(spec, state, config, update, feedback, last_words=last_words)


def conclude_cell(
    spec: RLMSpec,
    state: CellInput,
    config: RunnableConfig,
    cell: Finished,
    records: list[dict[str, Any]],
    note: str | None,
    update: dict[str, Any],
) -> Command[Any]:
    """A finished cell goes on to the next block of its reply. After the last one the first answer that was set ends the
    run, or what the blocks did goes back to the model."""
    reply = latest_reply(read(config, "history"))
    number = state.get("block", 1)  # not in a thread of an earlier version
    said = spec.dialect.parse(reply)
    parsed = said if isinstance(said, Code) else Code(())
    entry = _entry(spec, state, reply, cell, records)
    if len(parsed.blocks) > 1:
        entry["block"] = number
    if note:
        entry["note"] = note
    update["trajectory"] = [entry]
    if cell.cited:
        room = MOST_CITATIONS - len(read(config, "citations"))
        update["citations"] = citations(cell.cited, run_of(config).context(state["context_id"], config))[:room]
    following = parsed.blocks[number:] if number else ()
    ready = state.get("ready") or list(cell.held if state.get("limit") and not following else cell.answer)
    is_edited, is_aid = parsed.blocks[number - 1 : number] != (state["code"],), is_aided(read(config, "history"))
    steps = read(config, "trajectory")
    if ready:
        context = run_of(config).context(state["context_id"], config)
        told = spec.dialect.told(state["code"], ready[0], asked_of(state, config), context)
        if not told and not state.get("limit"):
            stuck = Stuck(is_again=not is_aid and state["code"] in [step["code"] for step in steps])
            return next_turn(spec, state, config, update | {"ready": []}, prompts.NOT_TOLD, stuck=stuck)
        ready = told or ready
    ran = RanBlock(
        state["code"],
        cell,
        number,
        len(parsed.blocks),
        is_edited=is_edited,
        is_repeated=not is_aid
        and is_repeated(state["code"], str(cell.printed), [(step["code"], step["output"]) for step in steps]),
        fails_again=fails_again(cell.error, [step["error"] for step in steps]),
        note=note,
        has_answer=bool(ready),
        answers=tuple(long_answers(read(config, "journal"))),
        kept=_kept(config, update) if cell.is_dropped else 0,
    )
    feedback = spec.dialect.after_block(ran)
    if following:
        update |= {"code": following[0], "block": number + 1, "ready": ready, "history": [HumanMessage(feedback)]}
        return Command(update=update, goto="generate")
    if not ready:
        return go_on(spec, state, config, update, ran, feedback, parsed.feedback)
    has_asked = bool(records or cell.cited)
    doubt = None if is_edited else doubt_of(spec, state, config, ready[0], parsed.states_answer, has_asked)
    if doubt is None:
        return _conclude_answer(spec, state, config, update | {"ready": []}, ready[0], feedback, parsed.feedback)
    entry["doubt"] = doubt
    return go_on(spec, state, config, update | {"ready": []}, ran, feedback, parsed.feedback, doubt=doubt)


def _entry(
    spec: RLMSpec, state: CellInput, reply: str, cell: Finished, records: list[dict[str, Any]]
) -> dict[str, Any]:
    """What the trajectory has of a cell."""
    return {
        "step": state["step"],
        "depth": spec.depth,
        "reply": reply,
        "code": state["code"],
        "output": str(cell.printed),
        "error": cell.error,
        "subcalls": records,
    }


def _kept(config: RunnableConfig, update: dict[str, Any]) -> int:
    """How many answers the cells to come have of dropped ones."""
    answers = kept_answers([*read(config, "journal"), *update["journal"]], is_suspended=False)
    return sum(map(len, answers.values()))


def _conclude_answer(
    spec: RLMSpec, state: CellInput, config: RunnableConfig, update: dict[str, Any], answer: Any, *feedback: str
) -> Command[Any]:
    """The end, with an answer, or its check; or another turn for the model, where it is not what it has to be.

    `feedback` is what its turn did, for that.
    """
    if answer_schema := answer_schema_of(spec, state["question"]):
        try:
            answer = answer_schema.conform(answer)
        except Unfit as unfit:
            if not state.get("limit"):
                wrong = prompts.unfit(str(unfit), spec.dialect.answer_name, spec.dialect.conventions.how_to_end)
                return next_turn(spec, state, config, update, *feedback, wrong)
    if PROFILES[state["question"]["chosen"]].checks_answer and not state.get("limit"):
        cited = append_new(read(config, "citations"), [update.get("citations", [])])
        update |= {"candidate": [answer, *feedback], "checks": Overwrite([])}
        return Command(update=update, goto=to_check(len(cited)))
    return Command(update=update | answer_update(spec, answer, state["question"], _status(state)), goto=END)


def _status(state: CellInput) -> Literal["answered", "limit"]:
    return "limit" if state.get("limit") else "answered"
