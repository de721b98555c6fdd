"""The dialect "answer": that of the official implementation since May 2026, which RLM-Qwen3-30B-A3B was trained on."""

from __future__ import annotations

from dataclasses import dataclass

from langgraph_rlm.context import Context
from langgraph_rlm.conversation.briefing import Briefing, Remaining
from langgraph_rlm.conversation.dialects import official
from langgraph_rlm.conversation.dialects.fences import blocks_of
from langgraph_rlm.conversation.dialects.replies import Code, Nothing, ParsedReply, with_equal_lines
from langgraph_rlm.conversation.literals import states_answer
from langgraph_rlm.conversation.ran import RanBlock
from langgraph_rlm.conversation.unaided import Unaided
from langgraph_rlm.repl.conventions import ReplConventions

ENDING = """
To submit your answer, set it in a ```repl block:
```repl
answer["content"] = result
answer["ready"] = True
```
`answer` is there from the start, as {"content": "", "ready": False}. You may fill in its content over several turns; \
once it is ready the run ends, so set that only when you are done, and never before you have looked at `context`.
"""
BEGIN = """\
if __rlm__.get("question") != {0}:
    __rlm__["question"], answer = {0}, {{"content": "", "ready": False}}"""
"""Each question begins with an `answer` of its own, whatever became of the first cells of it."""
LOOK_FIRST = "You have seen nothing of the context yet. Look at it first, and do not answer in this turn."


@dataclass(frozen=True)
class Answer(Unaided):
    """Code sets the answer: what the model says outside of its blocks ends nothing."""

    name = "answer"
    answer_name = '`answer["content"]`'
    conventions = ReplConventions(
        "answer",
        'set answer["content"], then answer["ready"] = True, to end',
        'answer["content"], answer["ready"] = {}, True',
        echoes=False,
        shown_characters=official.SHOWN,
        names_of_text=official.NAMES_OF_TEXT,
    )

    def parse(self, reply: str) -> ParsedReply:
        """The reply's blocks; a reply without any is a thought."""
        text = with_equal_lines(reply)
        blocks = blocks_of(text)
        codes, feedback = official.cells_of(blocks)
        if codes:
            return Code(codes, feedback, states_answer(codes))
        return Nothing(feedback, is_prose=False) if feedback else official.nothing_ran(text, blocks)

    def setup(self, code: str, context: Context, question: int) -> str:
        return BEGIN.format(question)

    def rules(self, briefing: Briefing) -> str:
        return official.rules(ENDING, briefing)

    def opening(self, query: str, context: Context, briefing: Briefing) -> str:
        return f"Answer the following: {query}\n\n{official.describe(context)}\n\n{LOOK_FIRST}"

    def follow_up(self, query: str, context: Context | None, briefing: Briefing) -> str:
        opening = None if context is None else self.opening(query, context, briefing)
        return official.follow_up(opening, f"Answer the following: {query}")

    def after_block(self, ran: RanBlock) -> str:
        header = f"REPL output (block {ran.number}):" if ran.blocks > 1 else "REPL output:"
        edited = f"The code was changed before it ran. This ran:\n```python\n{ran.code}\n```" if ran.is_edited else ""
        shown = f"{header}\n{official.result(ran, ('answer', 'context_0', 'context'))}"
        return "\n\n".join(part for part in (ran.note, edited, shown) if part)

    def turn(self, remaining: Remaining) -> str:
        return f"Turn {remaining.turn}/{remaining.turns}:"

    def reminder(self, query: str, step: int) -> str:
        return ""

    def last_turn(self, limit: str) -> str:
        return (
            f"The limit {limit} is reached, and this is the last turn. Give your final answer to the question now, "
            'from what you know: in words, or by a ```repl block that sets answer["content"] and answer["ready"].'
        )
