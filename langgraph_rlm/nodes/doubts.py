"""What is doubted of an answer that ends a run: that it was found, that it is a value."""

from __future__ import annotations

import re
from typing import Any

from langchain_core.runnables import RunnableConfig

from langgraph_rlm.conversation import prompts
from langgraph_rlm.conversation.history import told_of_text
from langgraph_rlm.conversation.literals import states_answer_unseen
from langgraph_rlm.conversation.preview.documents import PREFIX
from langgraph_rlm.nodes.turn import CellInput, asked_of
from langgraph_rlm.routes.profiles import PROFILES
from langgraph_rlm.running.run import read, run_of
from langgraph_rlm.running.spec import RLMSpec

_OBJECT = re.compile(r"<[^<>\n]{1,100} at 0x[0-9a-f]+>")
"""What Python writes of an object that is no value."""


def doubt_of(
    spec: RLMSpec, state: CellInput, config: RunnableConfig, answer: Any, is_unseen: bool, has_asked: bool
) -> str | None:
    """What is said of an answer that nobody can have found: one thing, once, but for what was not seen.

    `is_unseen`: it was written down beside a block whose output nobody had seen. `has_asked`: its cell asked somebody.
    An answer that is stated in words has no code.
    """
    if state.get("limit") or not state["step"]:  # the model has no other turn, or had none: the code is the host's
        return None
    words = spec.dialect.answer_name, spec.dialect.conventions.how_to_end
    steps, doubts = read(config, "trajectory"), list[str]()
    is_shown = _is_all_shown(state, config)
    if is_unseen and not is_shown:
        return prompts.unseen(*words)
    if answer is None:
        doubts.append(prompts.is_none(*words))
    is_checked = PROFILES[state["question"]["chosen"]].checks_answer
    has_looked = (
        has_asked
        or any(spec.dialect.may_show(step["code"], step["output"], step["error"]) for step in steps if step["code"])
        or not told_of_text(read(config, "history"))
    )
    is_written = not state["code"] or states_answer_unseen(state["code"])
    if is_written and not (has_looked or is_checked or is_shown):
        doubts.append(prompts.unfounded(*words))
    if isinstance(answer, str) and _OBJECT.search(answer):
        doubts.append(prompts.no_value(*words))
    context = run_of(config).context(state["context_id"], config)
    if doubted := spec.dialect.doubt(answer, asked_of(state, config, (state["code"], "")), context):
        doubts.append(doubted)
    told = {step.get("doubt") for step in steps}
    return doubts[0] if doubts and told.isdisjoint(doubts) else None


def _is_all_shown(state: CellInput, config: RunnableConfig) -> bool:
    """Whether the first message has all of the text."""
    return len(run_of(config).context(state["context_id"], config)) <= PREFIX
