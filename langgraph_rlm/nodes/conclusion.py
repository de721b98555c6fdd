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
from langgraph_rlm.conversation.dialects.dialect import Ran
from langgraph_rlm.conversation.dialects.replies import Code, Text
from langgraph_rlm.conversation.evidence import long_answers
from langgraph_rlm.conversation.history import latest_reply
from langgraph_rlm.nodes.checking import to_check
from langgraph_rlm.nodes.ending import ended, form_of
from langgraph_rlm.nodes.turn import CellInput, next_turn
from langgraph_rlm.repl.cells import Finished
from langgraph_rlm.running.level import Level
from langgraph_rlm.running.run import read, run_of
from langgraph_rlm.state import append_new


def without_code(level: Level, state: CellInput, config: RunnableConfig) -> Command[Any]:
    """A reply without code ends the run with the answer it states, or another one is asked for."""
    reply = latest_reply(read(config, "history"))
    said = level.dialect.read(reply)
    entry = {"step": state["step"], "depth": level.depth, "reply": reply, "code": "", "output": "", "subcalls": []}
    if isinstance(said, Text):
        return _answered(level, state, config, {"trajectory": [entry | {"error": None}]}, said.answer)
    told = said.told
    return next_turn(level, state, config, {"trajectory": [entry | {"error": told or None}]}, told)


def concluded(
    level: Level,
    state: CellInput,
    config: RunnableConfig,
    cell: Finished,
    asked: list[dict[str, Any]],
    note: str | None,
    update: dict[str, Any],
) -> Command[Any]:
    """A finished cell goes on to the next block of its reply. After the last one the first answer that was set ends the
    run, or what the blocks did goes back to the model."""
    reply, code = latest_reply(read(config, "history")), state["code"]
    number = state.get("block", 1)  # not in a thread of an earlier version
    said = level.dialect.read(reply)
    written = said if isinstance(said, Code) else Code(())
    update["trajectory"] = [
        {
            "step": state["step"],
            "depth": level.depth,
            "reply": reply,
            "code": code,
            "output": str(cell.printed),
            "error": cell.error,
            "subcalls": asked,
            **({"block": number} if len(written.blocks) > 1 else {}),
            **({"note": note} if note else {}),
        }
    ]
    if cell.cited:
        room = MOST_CITATIONS - len(read(config, "citations"))
        update["citations"] = citations(cell.cited, run_of(config).context(state["context_id"], config))[:room]
    ready, following = state.get("ready") or list(cell.answer), written.blocks[number:] if number else ()
    ran = Ran(
        code,
        cell,
        number,
        len(written.blocks),
        is_edited=written.blocks[number - 1 : number] != (code,),
        is_repeated=any(step["code"] == code for step in read(config, "trajectory")),
        note=note,
        has_answer=bool(ready),
        answers=tuple(long_answers(read(config, "journal"))),
    )
    told = level.dialect.told(ran, prompts.shortened(state["question"]["asked"], prompts.MOST_REMINDER))
    if ready and not following:
        return _answered(level, state, config, update | {"ready": []}, ready[0], told, written.told)
    if following:
        update |= {"code": following[0], "block": number + 1, "ready": ready, "history": [HumanMessage(told)]}
        return Command(update=update, goto="generate")
    return next_turn(level, state, config, update, told, written.told)


def _answered(
    level: Level, state: CellInput, config: RunnableConfig, update: dict[str, Any], answer: Any, *told: str
) -> Command[Any]:
    """The end, with an answer, or its check; or another turn for the model, where it is not what it has to be.

    It is `told` then what its turn did.
    """
    if form := form_of(level, state["question"]):
        try:
            answer = form.fitted(answer)
        except Unfit as unfit:
            if not state.get("limit"):
                wrong = prompts.unfit(str(unfit), level.dialect.answer, level.dialect.idiom.ending)
                return next_turn(level, state, config, update, *told, wrong)
    if state["question"]["chosen"] == "verify" and not state.get("limit"):
        cited = append_new(read(config, "citations"), [update.get("citations", [])])
        update |= {"candidate": [answer, *told], "checks": Overwrite([])}
        return Command(update=update, goto=to_check(len(cited)))
    return Command(update=update | ended(answer, state["question"], _status(state)), goto=END)


def _status(state: CellInput) -> Literal["answered", "limit"]:
    return "limit" if state.get("limit") else "answered"
