"""The dialect "final": one cell for each reply, and `Final = answer` ends the run (Algorithm 1)."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from textwrap import dedent

from langgraph_rlm.context import Context
from langgraph_rlm.conversation import preview, prompts
from langgraph_rlm.conversation.dialects.dialect import RanBlock
from langgraph_rlm.conversation.dialects.replies import Code, Nothing, ParsedReply, Text, without_thoughts
from langgraph_rlm.conversation.sub_answers import condense
from langgraph_rlm.repl.capabilities import Capabilities
from langgraph_rlm.repl.conventions import ReplConventions
from langgraph_rlm.repl.syntax import statements

_FENCE = re.compile(r"^[ \t]*```[ \t]*([\w+-]*)[^\n]*\n(.*?)(?:^[ \t]*```[ \t]*$|\Z)", re.M | re.S)
_FINAL = re.compile(r"^[ \t]*FINAL:[ \t]*(.*)\Z", re.M | re.S)
_FINAL_VAR = re.compile(r"^[ \t]*FINAL_VAR:[ \t]*`?([A-Za-z_]\w*)`?[ \t]*$", re.M)
NO_CELL = Nothing(prompts.NO_CELL)


@dataclass(frozen=True)
class Final:
    """The dialect that is made for models which were not trained as RLMs, small ones too."""

    name = "final"
    answer_name = "`Final`"
    conventions = ReplConventions(
        "Final", "set Final = your answer to end", "Final = {}", echoes=True, shown_characters=None
    )

    def parse(self, reply: str) -> ParsedReply:
        """What a reply says.

        Its blocks marked `repl` or `python` are one cell; else its unmarked blocks of Python, or the reply where it is
        Python. A reply without code ends the run with a line `FINAL: answer` or `FINAL_VAR: name`. Beside code such a
        line is not believed: the code has not run yet.
        """
        text = without_thoughts(reply)
        blocks = [(language.lower(), _unprompted(dedent(code)).rstrip()) for language, code in _FENCE.findall(text)]
        marked = [code for language, code in blocks if language in ("repl", "python", "py", "python3") and code.strip()]
        if marked:
            return Code(("\n".join(marked),))
        unmarked = [code for language, code in blocks if not language and _is_code(code)]
        if unmarked:
            return Code(("\n".join(unmarked),))
        prose = _FENCE.sub("", text)
        named, stated = _FINAL_VAR.search(prose), _FINAL.search(prose)
        ending = named or stated
        before = prose[: ending.start()].strip() if ending else prose.strip()
        if _is_code(before):
            return Code((before,))
        if named:
            return Code((f"FINAL_VAR({named[1]!r})",))
        return Text(stated[1].strip()) if stated and stated[1].strip() else NO_CELL

    def setup(self, code: str, context: Context, question: int) -> str:
        return preview.rows_for(code, context.text)

    def system(self, depth: int, max_depth: int, instructions: str | None, capabilities: Capabilities) -> str:
        return prompts.system(depth, max_depth, instructions, capabilities)

    def opening(self, query: str, context: Context) -> str:
        return prompts.opening(query, context)

    def follow_up(self, query: str, context: Context | None) -> str:
        return prompts.follow_up(query, context)

    def after_block(self, ran: RanBlock, query: str) -> str:
        output, edited = condense(str(ran.cell.printed), ran.answers), ran.code if ran.is_edited else None
        return prompts.after_cell(ran.cell, output, query, ran.is_repeated, edited, ran.note, ran.has_answer, ran.kept)

    def turn(self, step: int, most: int) -> str:
        return ""

    def reminder(self, query: str, step: int) -> str:
        return ""

    def last_turn(self, limit: str) -> str:
        return prompts.last_turn(limit)


def _unprompted(code: str) -> str:
    """The code of a transcript (`>>> x = 1`): what it shows as output was never printed."""
    lines = code.split("\n")
    if not any(line.startswith(">>> ") for line in lines):
        return code
    return "\n".join(line[4:] for line in lines if line.startswith((">>> ", "... ")))


def _is_code(text: str) -> bool:
    """Whether `text` is Python that does something: a lone name or number is prose."""
    return not all(map(_is_word, statements(text)))


def _is_word(node: ast.stmt) -> bool:
    if isinstance(node, ast.AnnAssign):
        return node.value is None
    words = (ast.Name, ast.Constant, ast.Tuple, ast.JoinedStr, ast.Attribute, ast.UnaryOp)
    return isinstance(node, ast.Expr) and isinstance(node.value, words)
