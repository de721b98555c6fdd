"""The voice for large models: what the REPL is and lacks, what there is to spend, and no hint that guesses."""

from __future__ import annotations

from langgraph_rlm.context import Context
from langgraph_rlm.conversation import prompts
from langgraph_rlm.conversation.briefing import Briefing
from langgraph_rlm.conversation.preview import documents, words
from langgraph_rlm.conversation.ran import RanBlock
from langgraph_rlm.conversation.unaided import Unaided

RULES = """\
You answer a question about a text that is too long to read, by writing Python. The text is the str `P` in a REPL. You \
work in turns: think in a few words where it helps, then write one ```repl block. You are shown what it printed, up to \
{shown:,} characters (of more, the beginning and the end), and have the next turn. Variables stay.

The REPL is Python in a sandbox: no files, no network, no packages. `re json math collections itertools datetime` are \
imported, and most of the standard library that computes can be; an error names what is missing.

- `grep(pattern, texts=P, context=80, most=20, flags=0)`: places in `P`, or in texts of yours: dicts with name, \
document, line, offset, match and the text around it. As the last expression of a block it is shown line by line.
- `ctx.get_document(i)`, `ctx.documents()`, `ctx.metadata[i]` (name, length, start, end, and what came with it), \
`ctx.chunk(size, overlap=0)`.
- `cite(quote)` notes a passage of `P`, letter by letter, as a source of the answer; it raises where `P` has none, and \
takes the first of several. `budget()` is a dict of what is left.
"""
SUBCALLS = """\
- `llm_query(prompt, context=None, schema=None, max_tokens=None)`: a model's answer, a str, or data that satisfies a \
JSON schema. It sees these texts alone: up to {most:,} characters, of which {piece:,} are a sensible piece. It raises \
where it fails.
- `llm_batch(prompts, schema=None)`: many at once, answers in order; one that fails is "Error: …", and the others are \
there. Sub-calls in a loop, a comprehension or threads run in parallel too.
- `llm_map(instruction, items, schema=None)`: the same of many short items, 20 and more of them to one sub-call.
"""
RECURSION = """\
- `rlm_query(prompt, context)`: for a context that is itself too long to read, by a model with a REPL of its own.
"""
ENDING = """
Search and count with code; have models read what has to be understood. Look at some of the text before you parse it. \
When you have the answer, and have seen the output that it rests on, end with `Final = value` in a block: a str, a \
number, a list or a dict of any size, returned whole. Before that check totals in a second way, and look at a sample \
of what you counted and of what you left out. Where the text does not tell, say so.
"""


class Large(Unaided):
    """Words for models that know Python, and read more than a page."""

    name = "large"

    def rules(self, briefing: Briefing) -> str:
        parts = [RULES.format(shown=briefing.sandbox.max_output)]
        if briefing.capabilities.has_subcalls:
            parts += [
                SUBCALLS.format(piece=briefing.piece, most=briefing.most_piece),
                RECURSION if briefing.has_child else "",
                *(f"- {line}" for line in [prompts.models(briefing.capabilities)] if line),
            ]
        return "".join([*parts, prompts.tools(briefing.capabilities), ENDING])

    def opening(self, query: str, context: Context, briefing: Briefing) -> str:
        found = [word for word in words.words_found(query, context.text) if word.rank < words.COMMON]
        parts = [f"Question: {query}", documents.described(context)]
        if listed := documents.listed(context):
            parts.append(listed)
        if shown := words.lines_with(found, context, numbered=True):
            parts.append("Lines of `P` with words of the question:\n<<<\n{}\n>>>".format("\n".join(shown)))
        seconds = briefing.sandbox.seconds(len(context))
        parts.append(f"A block may compute for {int(seconds) or seconds} s, models not counted.")
        return "\n\n".join(parts)

    def follow_up(self, query: str, context: Context | None, briefing: Briefing) -> str:
        if context is not None:
            return f"`P` is a new text now; your variables are still there.\n\n{self.opening(query, context, briefing)}"
        return prompts.same_text(query)

    def after_cell(self, ran: RanBlock, output: str) -> str:
        parts = prompts.what_ran(ran, output)
        if names := ran.empty:
            parts.append(f"Empty: {', '.join(names)}. Look at how `P` writes it.")
        if ran.is_repeated:
            parts.append("This code ran before, and did the same.")
        return "\n\n".join(parts)
