"""What the model is shown of its conversation: all of it, until that fills its window, then a summary of what was.

The conversation is only ever added to, so each prompt begins with the one before it and providers' prompt caches hit. A
summary is a message of it too: it stands for those before it, which the model's code has in a variable, `past_steps`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.utils import count_tokens_approximately

from langgraph_rlm.asking.replies import ModelReply
from langgraph_rlm.conversation import prompts

SHARE = 0.75
"""Share of the model's window that a prompt may fill: the rest is for the reply, and for what the count is off."""
TELLS_OF_TEXT, ASKS, STANDS_FOR = "rlm_tells_of_text", "rlm_asks", "rlm_stands_for"
CUT, AIDS, STUCK = "rlm_cut", "rlm_aids", "rlm_stuck"
"""Marks of messages: one that tells of the text, one that asks a question, one that stands for those before it, but
for the last so many, a reply that is not whole, with what is said of that, a cell of the host's own, and a turn that
got nowhere."""


def question_message(text: str, is_new_text: bool) -> HumanMessage:
    """A message that asks a question, and tells of a text where that is new: shown as long as they are the latest."""
    return HumanMessage(text, additional_kwargs={ASKS: True, **({TELLS_OF_TEXT: True} if is_new_text else {})})


def is_whole(history: Sequence[AnyMessage]) -> bool:
    """Whether it has its first message: that tells of the text."""
    return bool(history) and TELLS_OF_TEXT in history[0].additional_kwargs


def reply_message(replied: ModelReply, used: UsageMetadata | None) -> AIMessage:
    """What the model has said, and whether that is all."""
    cut = {CUT: prompts.cut_off(replied.cut.what, replied.cut.is_too_long)} if replied.cut else {}
    return AIMessage(replied.text, id=replied.id, usage_metadata=used, additional_kwargs=cut)


def aid_message(code: str) -> AIMessage:
    """A cell of the host's own, in the model's place."""
    return AIMessage(f"```repl\n{code}\n```", additional_kwargs={AIDS: True})


def is_aided(history: Sequence[AnyMessage]) -> bool:
    """Whether the latest cell was the host's own, in place of one that got nowhere."""
    latest = next((message for message in reversed(history) if isinstance(message, AIMessage)), None)
    return latest is not None and AIDS in latest.additional_kwargs


@dataclass(frozen=True)
class Stuck:
    """A turn that got nowhere, and the host knows no cell that may help."""

    is_again: bool
    """Whether it did what one before it did."""
    printed: Sequence[str] = ()
    """The latest of what was printed before."""


def feedback(said: str, stuck: Stuck | None) -> HumanMessage:
    """What a turn did. Where it did so again, that stands for all before it: a small model repeats what it reads."""
    if stuck is None:
        return HumanMessage(said)
    if not stuck.is_again:
        return HumanMessage(said, additional_kwargs={STUCK: True})
    text = f"{prompts.afresh(stuck.printed)}\n\n{said}"
    return HumanMessage(text, additional_kwargs={STUCK: True, STANDS_FOR: 0})


def is_stuck(history: Sequence[AnyMessage]) -> bool:
    """Whether the latest turn got nowhere, with the host's own cell or without: the same again would do the same."""
    return is_aided(history) or STUCK in history[-1].additional_kwargs


def summary(text: str, history: Sequence[AnyMessage]) -> HumanMessage:
    """Stands for all before it but what was said since the latest reply, which is what the latest code did."""
    return HumanMessage(prompts.summary_text(text), additional_kwargs={STANDS_FOR: _since_reply(history, 1)})


def gap(history: Sequence[AnyMessage]) -> HumanMessage:
    """Stands for all before it but the latest turn, where the model could not be asked for a summary."""
    return HumanMessage(prompts.LEFT_OUT, additional_kwargs={STANDS_FOR: latest_turn(history)})


def latest_turn(history: Sequence[AnyMessage]) -> int:
    """How many messages the latest turn takes: what the model was told before its reply, that, and what came of it."""
    place = _latest_mark(history, STANDS_FOR)
    return min(_since_reply(history, 2), len(history) if place is None else len(history) - place - 1)


def latest_reply(history: Sequence[AnyMessage]) -> str:
    """What the model said last."""
    return str(_latest_reply(history).text)


def cut_of_latest(history: Sequence[AnyMessage]) -> str | None:
    """What is said of the latest reply where it is not whole."""
    return _latest_reply(history).additional_kwargs.get(CUT)


def _latest_reply(history: Sequence[AnyMessage]) -> AIMessage:
    return next(message for message in reversed(history) if isinstance(message, AIMessage))


def questions(history: Sequence[AnyMessage]) -> int:
    """How many questions were asked."""
    return sum(ASKS in message.additional_kwargs for message in history)


def told_of_text(history: Sequence[AnyMessage]) -> bool:
    """Whether the latest question came with a text of its own."""
    return _latest_mark(history, ASKS) == _latest_mark(history, TELLS_OF_TEXT)


def stands_for_others(message: AnyMessage) -> bool:
    """Whether it is a summary, or a gap."""
    return STANDS_FOR in message.additional_kwargs


def shown(history: Sequence[AnyMessage]) -> list[AnyMessage]:
    """The messages that the model is sent."""
    place = _latest_mark(history, STANDS_FOR)
    if place is None:
        return list(history)
    kept = history[place].additional_kwargs[STANDS_FOR]
    before = history[: place - kept]
    opening, question = _latest_mark(before, TELLS_OF_TEXT) or 0, _latest_mark(before, ASKS)
    first = [history[opening], *([history[question]] if question and question != opening else [])]
    return [*first, history[place], *history[place - kept : place], *history[place + 1 :]]


def past_steps(history: Sequence[AnyMessage]) -> list[str] | None:
    """What was said before the latest summary, if there is one."""
    place = _latest_mark(history, STANDS_FOR)
    if place is None:
        return None
    kept = history[place].additional_kwargs[STANDS_FOR]
    return [str(m.text) for m in history[: place - kept] if not stands_for_others(m)]


def fills_window(model: BaseChatModel, history: Sequence[AnyMessage]) -> bool:
    """Whether what would be sent takes more of the model's window than it should, where LangChain knows the window.

    A few messages after a summary do not: another one would make them no shorter.
    """
    window = window_of(model)
    place = _latest_mark(history, STANDS_FOR)
    since = len(history) if place is None else len(history) - place - 1
    return window is not None and since > latest_turn(history) and tokens(history) > SHARE * window


def window_of(model: BaseChatModel) -> int | None:
    """Tokens that the model can read, where LangChain's model profiles know it."""
    window = model.profile.get("max_input_tokens") if isinstance(model.profile, Mapping) else None
    return window if isinstance(window, int) and window > 0 else None


def tokens(history: Sequence[AnyMessage]) -> int:
    """Tokens of what would be sent: as many as the latest reply reports, and about as many as came since."""
    since = _latest_mark(history, STANDS_FOR) or 0
    for place in reversed(range(since, len(history))):
        message = history[place]
        if isinstance(message, AIMessage) and message.usage_metadata:
            return message.usage_metadata["total_tokens"] + count_tokens_approximately(history[place + 1 :])
    return count_tokens_approximately(shown(history))


def _since_reply(history: Sequence[AnyMessage], number: int) -> int:
    """How many messages came after the reply that is the `number`-th from the end; all where there are fewer."""
    replies = [place for place, message in enumerate(history) if isinstance(message, AIMessage)]
    return len(history) - 1 - replies[-number] if len(replies) >= number else len(history)


def _latest_mark(history: Sequence[AnyMessage], mark: str) -> int | None:
    return next((place for place in reversed(range(len(history))) if mark in history[place].additional_kwargs), None)
