"""The dialect "final-text": that of the official implementation until May 2026, which RLM-Qwen3-8B was trained on."""

from __future__ import annotations

import re
from dataclasses import dataclass

from langgraph_rlm.context import Context
from langgraph_rlm.conversation.briefing import Briefing, Remaining
from langgraph_rlm.conversation.dialects import official
from langgraph_rlm.conversation.dialects.fences import Block, blocks_of, outside
from langgraph_rlm.conversation.dialects.replies import Code, Nothing, ParsedReply, Text, with_equal_lines
from langgraph_rlm.conversation.literals import states_answer
from langgraph_rlm.conversation.ran import RanBlock
from langgraph_rlm.conversation.unaided import Unaided
from langgraph_rlm.repl.conventions import ReplConventions

ENDING = """
When you have the answer, and not before, end with one of these at the start of a line of your reply, not in code:
1. FINAL(your answer): the answer in words, as it stands between the brackets.
2. FINAL_VAR(name): the value of a variable that your code has made. Make it in a ```repl block first, and see what it \
holds; FINAL_VAR(name) comes in a later reply, without code.
"""
LOOK_FIRST = "You have seen nothing of the context yet. Look at it first: do not give a final answer now."
NOT_BELIEVED = (
    "(Your final answer was not taken: the code beside it had not run yet. If it still holds, give it again, in a "
    "reply without code.)"
)
NEARLY_FINAL = "(FINAL(your answer) ends the run where it begins a line, and its last bracket ends one.)"
MOST_NAME = 60

_NAMES = re.compile(r"^[^\S\n]*FINAL_VAR\(", re.M)
_STATES = re.compile(r"^[^\S\n]*FINAL\(", re.M)
_NEARLY = re.compile(r"^[^\S\n]*FINAL(?:_VAR)?\s?\(", re.M | re.I)
_ENDS_LINE = re.compile(r"\)[^\S\n]*$", re.M)


@dataclass(frozen=True)
class FinalText(Unaided):
    """The model ends a run in words: `FINAL(…)` or `FINAL_VAR(…)` at the start of a line of its reply."""

    name = "final-text"
    answer_name = "What `FINAL` or `FINAL_VAR` gives"
    conventions = ReplConventions(
        None,
        "write FINAL(your answer) outside of the code to end",
        "FINAL({})",
        echoes=False,
        shown_characters=official.SHOWN,
        names_of_text=official.NAMES_OF_TEXT,
    )

    def parse(self, reply: str) -> ParsedReply:
        """The reply's blocks. Without any, the variable that it names or else the answer that it states.

        Beside code neither is believed: the code has not run yet. In the code they are functions.
        """
        text = with_equal_lines(reply)
        blocks = blocks_of(text)
        codes, unclosed = official.cells_of(blocks)
        if not (codes or unclosed) and (around := _stated_around(text, blocks)):
            return Text(around)
        words = outside(text, [block for block in blocks if official.is_cell(block)])
        named, stated = _named(words), _stated(words)
        if codes or unclosed:
            is_final = named is not None or stated is not None
            feedback = "\n\n".join(filter(None, [unclosed, NOT_BELIEVED if is_final else ""]))
            return Code(codes, feedback, states_answer(codes)) if codes else Nothing(feedback, is_prose=False)
        if named is not None:
            if not named.isidentifier():
                return Nothing(f"(FINAL_VAR takes the name of a variable, and {named[:MOST_NAME]!r} is none.)")
            return Code((f"FINAL_VAR({named!r})",))
        if stated == "":
            return Nothing("(There is no answer between the brackets of FINAL.)")
        if not stated and _NEARLY.search(words):
            return Nothing(NEARLY_FINAL, is_prose=False)
        return Text(stated) if stated else official.nothing_ran(text, blocks)

    def setup(self, code: str, context: Context, question: int) -> str:
        return ""

    def rules(self, briefing: Briefing) -> str:
        return official.rules(ENDING, briefing)

    def opening(self, query: str, context: Context, briefing: Briefing) -> str:
        return f"{official.describe(context)}\n\nQuestion: {query}\n\n{LOOK_FIRST}"

    def follow_up(self, query: str, context: Context | None, briefing: Briefing) -> str:
        opening = None if context is None else self.opening(query, context, briefing)
        return official.follow_up(opening, f"Question: {query}")

    def after_block(self, ran: RanBlock) -> str:
        executed = f"Code executed:\n```python\n{ran.code}\n```"
        edited = "The code was changed before it ran." if ran.is_edited else ""
        shown = f"{executed}\n\nREPL output:\n{official.result(ran, ('context_0', 'context'))}"
        return "\n\n".join(part for part in (ran.note, edited, shown) if part)

    def turn(self, remaining: Remaining) -> str:
        return ""

    def reminder(self, query: str, step: int) -> str:
        before = "What stands before is what you did in the REPL so far. " if step > 1 else ""
        return (
            f"{before}Think step by step about what to do in the REPL, which has the `context`, to answer the prompt: "
            f'"{query}".\n\nGo on with ```repl blocks, ask models where the text has to be understood, and find out '
            "the answer. Your next action:"
        )

    def last_turn(self, limit: str) -> str:
        return (
            f"The limit {limit} is reached, and this is the last turn. Give your final answer to the question now, "
            "from what you know: FINAL(your answer)."
        )


def _named(text: str) -> str | None:
    """What the first FINAL_VAR that begins a line has between its brackets, without quotes."""
    begins = _NAMES.search(text)
    end = text.find(")", begins.end()) if begins else -1
    return text[begins.end() : end].strip().strip('"').strip("'") if begins and end >= 0 else None


def _stated_around(text: str, blocks: list[Block]) -> str | None:
    """What a FINAL states whose brackets are around blocks: they are parts of the answer."""
    first = next((block.start for block in blocks), len(text))
    begins = _STATES.search(text, 0, first)
    if not begins or not blocks or text.count("(", begins.start(), first) == text.count(")", begins.start(), first):
        return None
    ends = [end for end in _ENDS_LINE.finditer(outside(text, blocks), begins.end()) if end.start() > first]
    return text[begins.end() : ends[-1].start()].strip() if ends else None


def _stated(text: str) -> str | None:
    """What the first FINAL that begins a line has up to the last bracket that ends one."""
    begins = _STATES.search(text)
    ends = [bracket.start() for bracket in _ENDS_LINE.finditer(text, begins.end())] if begins else []
    return text[begins.end() : ends[-1]].strip() if begins and ends else None
