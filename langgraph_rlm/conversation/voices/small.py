"""The voice for small models: short, no examples, Python that is made for the text at hand.

Measured on the local model (`make eval-local`): it copies examples, field names and all, so there are none here. Long
code with comments is where it errs. Unless each message tells of `Final`, it prints the same again and never ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langgraph_rlm.context import Context
from langgraph_rlm.conversation import prompts
from langgraph_rlm.conversation.briefing import Asked, Briefing
from langgraph_rlm.conversation.literals import has_sources
from langgraph_rlm.conversation.preview import amounts, documents, evidence, records, words
from langgraph_rlm.conversation.ran import RanBlock, found_by
from langgraph_rlm.conversation.voices import doubts
from langgraph_rlm.repl.python.answers import NO_ANSWER
from langgraph_rlm.repl.syntax import read

RULES = """\
You answer a question about a text with Python. The text is the str `P` in a REPL. It is too long to read: search it, \
count in it and compute with code. You see what your code prints, then you may write more code.

Reply with one ```python block (```repl is the same) and nothing else: short code, no comments. Variables stay. `re`, \
`json`, `math`, `collections`, `itertools` and `datetime` are imported.

Print what you find, a few lines at most. End with `Final = ` and the variable that holds the answer: what your code \
has found, never a guess, and no more than the question asks for. Some questions take two searches: print what the \
first one finds, then search for that.
"""

SUBCALLS = """
`llm_query(prompt, context)` asks a language model about a short piece of text and returns its answer as a str. Use it \
only for what needs understanding rather than searching or counting. `llm_batch(prompts)` asks many prompts at once \
and returns the answers in order; `llm_map(instruction, items)` asks the same of many short texts, for less.
"""

RECURSION = """\
`rlm_query(prompt, context)` is for a context that is itself too long to read: the model there has a REPL of its own.
"""

DOCUMENTS = "`documents` is a dict of their texts: `for name, text in documents.items():`. `ctx.metadata[i]` has more."
DOCUMENTS_APART = (
    "`ctx.num_documents()`, `ctx.get_document(i)` and `ctx.metadata[i]` (name, length, start, end) have them."
)

ASK = "Final = llm_query(plain_question).strip()"
"""A small model often reads better than it writes code: the question is put over what was found."""
MOST_EVIDENCE, MOST_PRINTED, SHOWN_PRINTED = 1_200, 1_000, 2
"""Characters of lines, and of what each of the latest cells has printed, that it is put over."""
COUNT = "Compute this with code from all of `P`; do not guess."
PLAINLY = (
    "Answer in a few words, with nothing but the answer; where there are several, name all. "
    f"({NO_ANSWER}: none of this has to do with it.)"
)
MOST_SHOWN = 1_000
"""Characters of lines that the first message shows."""


class Small:
    """Words for models of few parameters, or of a small window."""

    name = "small"

    def given(self, code: str, context: Context, asked: Asked) -> Mapping[str, Any]:
        if code != ASK:
            return {}
        text, question = context.text, asked.question
        found, is_of_records = words.words_found(question, text), records.way_apart(text) is not None
        is_read = not amounts.is_computed(question, found, text, is_of_records)
        lines = evidence.lines_found(question, context, found, MOST_EVIDENCE) if is_read else []
        outputs = dict.fromkeys(found_by(code, printed) for code, printed in asked.ran)
        printed = [prompts.shorten(output, MOST_PRINTED) for output in outputs if output][-SHOWN_PRINTED:]
        if not lines and not printed:
            return {}
        where = ", by document" if context.num_documents() > 1 else ""
        parts = []
        if lines:
            shown = evidence.by_document(lines)
            parts.append(f"These lines were found in a text, the likeliest first{where}.\n\n{shown}")
        if printed:
            parts.append("This was printed by code that searched the text:\n\n" + "\n".join(printed))
        parts.append(f"{prompts.shorten(question)}\n{PLAINLY}")
        return {"plain_question": "\n\n".join(parts)}

    def asks_plainly(self, code: str) -> bool:
        return "plain_question" in read(code).used

    def may_show(self, code: str, output: str, error: str | None) -> bool:
        return has_sources(code) and bool(output or not error)  # it begins with imports, or fails, and guesses

    def doubt(self, answer: object, asked: Asked, context: Context) -> str | None:
        return doubts.doubt_of(answer, asked, context)

    def aid(self, ran: RanBlock, doubt: str | None) -> str | None:
        got_nowhere = (
            (doubt and doubts.may_be_told_by_lines(doubt)) or ran.is_repeated or ran.fails_again or ran.found_nothing
        )
        return ASK if got_nowhere and ran.code != ASK else None

    def rules(self, briefing: Briefing) -> str:
        parts = [RULES]
        if briefing.capabilities.has_subcalls:
            parts += [SUBCALLS, prompts.models(briefing.capabilities)]
        if briefing.has_child:
            parts.append(RECURSION)
        return "".join([*parts, prompts.tools(briefing.capabilities)])

    def opening(self, query: str, context: Context, briefing: Briefing) -> str:
        return self._opening(query, context, has_rows=True)

    def _opening(self, query: str, context: Context, has_rows: bool) -> str:
        """No numbers of occurrences: a small model takes one of them for the answer."""
        text = context.text
        found, way = words.words_found(query, text), records.way_apart(text)
        parts = [documents.described(context)]
        if listed := documents.listed(context):
            parts.append(f"{listed}\n{DOCUMENTS if documents.are_offered(context) else DOCUMENTS_APART}")
        if found:
            spelled = ", ".join(repr(word.text) for word in found)
            parts.append(f"`P` has these words of the question, in this spelling: {spelled}.")
        is_computed = amounts.is_computed(query, found, text, way is not None)
        lines: Sequence[object] = ()
        if way:
            lines = words.lines_with(found, context)
        elif not is_computed:
            lines = evidence.lines_found(query, context, found, MOST_SHOWN)
        shown = [line for line in map(str, lines) if line not in text[: documents.PREFIX]]
        if shown:
            which = "with them" if found else "of `P`"
            parts.append("Some lines {}:\n<<<\n{}\n>>>".format(which, "\n".join(shown)))
        if way and (missing := records.second_search(found, text, way)):
            parts.append(
                f"The only place with {found[0].text!r} does not have {missing!r}: first print that place, then search "
                f"for a value in it that also stands beside {missing!r}."
            )
        parts.append(f"Question: {query}")
        if is_computed:
            parts.append(COUNT)
        if way and has_rows:
            rows = " and ".join(records.rows_shown(found, text, way))
            parts.append(f"`rows` holds `P` taken apart, without lines of another form:\n{way.code}\n# such as {rows}")
        return "\n\n".join(parts)

    def follow_up(self, query: str, context: Context | None, briefing: Briefing) -> str:
        if context is not None:
            new = self._opening(query, context, has_rows=False)  # there may be rows of the text before it
            return f"`P` is a new text now; your variables are still there. {new}"
        return prompts.same_text(query)

    def after_cell(self, ran: RanBlock, output: str) -> str:
        parts = prompts.what_ran(ran, output)
        if names := ran.empty:
            parts.append(
                f"Empty: {', '.join(names)}. What you looked for is not written that way in `P`: print a line of `P`, "
                "compare each character, and change the code."
            )
        if ran.is_repeated:
            parts.append(
                "You wrote this code before, and it does the same again. Leave it. Now only look: print some lines of "
                "`P`, one search at a time, and nothing else."
            )
        if not ran.has_answer:
            parts.append(
                "If this output has the answer, set `Final` to that variable now. If not, search `P` for a value that "
                "it shows, or write other code."
            )
        return "\n\n".join(parts)
