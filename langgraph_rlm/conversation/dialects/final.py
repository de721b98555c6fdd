"""The dialect "final": one cell for each reply, and `Final = answer` ends the run (Algorithm 1)."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from langgraph_rlm.context import Context
from langgraph_rlm.conversation import prompts
from langgraph_rlm.conversation.briefing import Asked, Briefing, Remaining
from langgraph_rlm.conversation.dialects.fences import MARKED, Block, blocks_of, outside
from langgraph_rlm.conversation.dialects.plainly import said_plainly
from langgraph_rlm.conversation.dialects.prose import does_something, is_code, looks_like_code, names_repl
from langgraph_rlm.conversation.dialects.replies import Code, Nothing, ParsedReply, Text, with_equal_lines
from langgraph_rlm.conversation.literals import sets_answer, states_answer
from langgraph_rlm.conversation.preview.amounts import may_answer
from langgraph_rlm.conversation.preview.documents import documents_for
from langgraph_rlm.conversation.preview.records import rows_for
from langgraph_rlm.conversation.ran import RanBlock
from langgraph_rlm.conversation.sub_answers import condense
from langgraph_rlm.conversation.voices.voice import Voice
from langgraph_rlm.repl.conventions import ReplConventions
from langgraph_rlm.repl.syntax import statements

SHELLS = ("bash", "sh", "shell", "console", "sql", "js", "javascript")
"""Languages of code that is none for the REPL, and no answer in words either."""

LEAST_COPY = 80
"""Characters of a text that code sets `P` to, from which on it is taken for a copy of what the model was shown."""
TEXT_KEPT = "`P` is the whole text already. The line that sets it to a copy of a part was left out."

_FINAL = re.compile(r"^[ \t]*FINAL:[ \t]*(.*)", re.M)
_FINAL_VAR = re.compile(r"^[ \t]*FINAL_VAR:[ \t]*`?([A-Za-z_]\w*)`?[ \t]*$", re.M)


@dataclass(frozen=True)
class Final:
    """The dialect that is made for models which were not trained as RLMs, in the words of a voice."""

    voice: Voice

    name = "final"
    answer_name = "`Final`"
    conventions = ReplConventions(
        "Final", "set Final = your answer to end", "Final = {}", echoes=True, shown_characters=None
    )

    def parse(self, reply: str) -> ParsedReply:
        """What a reply says.

        Its blocks marked `repl` or `python` are one cell; else its unmarked blocks of Python, or the reply where it is
        Python. A line `FINAL: answer` before them ends the run with all that follows it, blocks too, and so does
        `FINAL_VAR: name` in a reply without code. After code such a line is not believed: it has not run yet.
        """
        text = with_equal_lines(reply)
        blocks = blocks_of(text)
        marked = [block for block in blocks if block.language.lower() in MARKED and block.code.strip()]
        cells = marked or [block for block in blocks if not block.language and is_code(block.code)]
        words = outside(text, blocks)
        if stated := _stated(words, text, cells):
            before = words[: stated.start()].strip()
            if not does_something(before):
                return Text(text[stated.start(1) :].strip())
            return Code((before,))
        only = cells if cells or words.strip() else blocks
        if len(only) == 1 and (said := _FINAL.match(only[0].code)) and said[1].strip():
            return Text(only[0].code[said.start(1) :].strip())
        if cells:
            codes = [block.code for block in cells]
            code, is_changed = _with_text("\n".join(codes))
            return Code((code,), TEXT_KEPT if is_changed else "", states_answer(codes))
        named = _FINAL_VAR.search(words)
        before = words[: named.start()].strip() if named else words.strip()
        if does_something(before) if named else is_code(before):
            code, is_changed = _with_text(before)
            return Code((code,), TEXT_KEPT if is_changed else "")
        if named:
            return Code((f"FINAL_VAR({named[1]!r})",))
        is_shell = any(block.language.lower() in SHELLS for block in blocks) and not words.strip()
        is_prose = not looks_like_code(words) and not is_shell
        return Nothing(prompts.NO_CELL, is_prose=is_prose)

    def setup(self, code: str, context: Context, question: int) -> str:
        return "\n".join(filter(None, (rows_for(code, context), documents_for(code, context))))

    def given(self, code: str, context: Context, asked: Asked) -> Mapping[str, Any]:
        return self.voice.given(code, context, asked)

    def aid(self, ran: RanBlock, doubt: str | None) -> str | None:
        return self.voice.aid(ran, doubt)

    def told(self, code: str, answer: Any, asked: Asked, context: Context) -> list[Any]:
        if not self.voice.asks_plainly(code) or not isinstance(answer, str):
            return [answer]
        said = said_plainly(answer)
        if said is None or not may_answer(asked.question, said):
            return []
        return [said] if self.voice.doubt(said, asked, context) is None else []

    def may_show(self, code: str, output: str, error: str | None) -> bool:
        return self.voice.may_show(code, output, error)

    def doubt(self, answer: object, asked: Asked, context: Context) -> str | None:
        return self.voice.doubt(answer, asked, context)

    def rules(self, briefing: Briefing) -> str:
        return self.voice.rules(briefing)

    def opening(self, query: str, context: Context, briefing: Briefing) -> str:
        return self.voice.opening(query, context, briefing)

    def follow_up(self, query: str, context: Context | None, briefing: Briefing) -> str:
        return self.voice.follow_up(query, context, briefing)

    def after_block(self, ran: RanBlock) -> str:
        return self.voice.after_cell(ran, condense(str(ran.cell.printed), ran.answers))

    def turn(self, remaining: Remaining) -> str:
        return remaining.line

    def reminder(self, query: str, step: int) -> str:
        return ""

    def last_turn(self, limit: str) -> str:
        return prompts.last_turn(limit)


def _stated(words: str, text: str, cells: list[Block]) -> re.Match[str] | None:
    """The line that states an answer, where there is no code for the REPL: blocks of other code are parts of it."""
    stated = _FINAL.search(words)
    if stated is None or not text[stated.start(1) :].strip():
        return None
    is_said = bool(stated[1].strip())
    return None if any(block.start < stated.start() or _is_for_repl(block, is_said) for block in cells) else stated


def _is_for_repl(block: Block, is_said: bool) -> bool:
    """Whether a block after the line is to run: it is marked so, or has what the line does not say."""
    return block.language == "repl" or (not is_said and (sets_answer(block.code) or names_repl(block.code)))


def _with_text(code: str) -> tuple[str, bool]:
    """Code without statements that set `P` to a text that is written down, and whether there were any.

    A small model copies what it is shown of `P`, and searches the copy.
    """
    lines, body = code.split("\n"), statements(code)
    begins, ends = Counter(node.lineno for node in body), Counter(node.end_lineno for node in body)
    copies = [node for node in body if _copies_text(node) and begins[node.lineno] == ends[node.end_lineno] == 1]
    copies = [node for node in copies if not ends[node.lineno] - (node.lineno == node.end_lineno)]
    for node in copies:
        for line in range(node.lineno - 1, node.end_lineno or node.lineno):
            lines[line] = ""
    return "\n".join(lines), bool(copies)


def _copies_text(statement: ast.stmt) -> bool:
    match statement:
        case ast.Assign(targets=[ast.Name(id="P")], value=ast.Constant(value=str(text))):
            return len(text) >= LEAST_COPY
    return False
