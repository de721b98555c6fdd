"""What both dialects of the official implementation (github.com/alexzhang13/rlm) have in common.

What models were trained on to the letter is so here too: how blocks are marked, and how their output is shown. The
instructions are in words of our own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from langgraph_rlm.context import Context
from langgraph_rlm.conversation import prompts
from langgraph_rlm.conversation.briefing import Briefing
from langgraph_rlm.conversation.dialects.fences import MARKED, Block, outside
from langgraph_rlm.conversation.dialects.prose import does_something, is_code, looks_like_code, names_repl
from langgraph_rlm.conversation.dialects.replies import Nothing
from langgraph_rlm.conversation.preview.documents import PREFIX
from langgraph_rlm.conversation.ran import RanBlock

SHOWN = 20_000
"""Characters that are shown of what came of a block."""
LISTED = ("str", "int", "float", "bool", "list", "dict", "tuple")
"""Types of the variables that are listed after a block."""
UNCLOSED = "(A ```repl block of your reply is empty or has no closing line, so it did not run.)"
NOT_MARKED = "(No code ran: only blocks that begin with ```repl and end with ``` do. Write your code in such a block.)"

_SPAN = re.compile(r"`([^`\n]+)`")
NAMES_OF_TEXT = ("context", "context_0")

RULES = """\
You answer a prompt about a text that is too long for you to read. The text is `context`, a str in a Python REPL (also \
called `P`). You work in turns: say in a few words what you will do, and put the code for it into a ```repl block. You \
are then shown what it printed, and have the next turn. Variables stay from block to block.

Only what `print` writes is shown, up to 20,000 characters of each block; the value of a last line is not. So print \
little, slice `context`, and keep what you find in variables. `re`, `json`, `math`, `collections`, `itertools` and \
`datetime` are imported; files, network and other packages are not there.

In the REPL:
- `context`: the text. `ctx.num_documents()`, `ctx.get_document(i)` and `ctx.metadata[i]` tell its documents apart.
- `SHOW_VARS()`: the names and types of your variables.
"""

SUBCALLS = """\
- `llm_query(prompt)`: the answer of a language model, a str. It sees the prompt alone, so put the question and the \
piece of `context` that it is about into it: tens of thousands of characters fit.
- `llm_query_batched(prompts)`: the answers to a list of prompts, in order. They are asked at the same time.
"""

RECURSION = """\
- `rlm_query(prompt)`, `rlm_query_batched(prompts)`: the same, answered by a model with turns and a REPL of its own, \
whose `context` is the prompt. For a part of the work that takes several steps.
"""

STRATEGY = """
Look at the text first: print its beginning, see how it is laid out, count. Then decide how the work divides. What can \
be found by searching or counting, code finds. What has to be understood goes to `llm_query_batched` in large pieces; \
ask for short answers of one form, which code can put together. Print the result and check it before you submit it.
"""


def cells_of(blocks: Sequence[Block]) -> tuple[tuple[str, ...], str]:
    """The code of the blocks marked `repl`, in order, and what is wrong with the last one, if it is not closed.

    Other blocks do not run.
    """
    cells = [block for block in blocks if is_cell(block)]
    codes = tuple(block.code.strip() for block in cells if block.is_closed)
    return codes, "" if len(codes) == len(cells) else UNCLOSED


def is_cell(block: Block) -> bool:
    """Whether a block is marked as code to run."""
    return block.language == "repl" and not block.has_info


def nothing_ran(text: str, blocks: Sequence[Block]) -> Nothing:
    """A reply without code to run. Where it has code that is not marked so, that is said."""
    is_unmarked = any(
        is_code(block.code) or (block.language.lower() in MARKED and block.code.strip()) for block in blocks
    )
    words = outside(text, list(blocks)).strip()
    spans = (span for span in _SPAN.findall(words) if is_code(span) and names_repl(span))
    if is_unmarked or does_something(words) or looks_like_code(words) or any(spans):
        return Nothing(NOT_MARKED, is_prose=False)
    return Nothing()


def rules(ending: str, briefing: Briefing) -> str:
    """The system prompt of an RLM; `ending` says how a run ends."""
    calls = (SUBCALLS if briefing.capabilities.has_subcalls else "") + (RECURSION if briefing.has_child else "")
    strategy, capabilities = STRATEGY if calls else "", briefing.capabilities
    capabilities_text = (prompts.models(capabilities) if calls else "") + prompts.tools(capabilities)
    return "".join([RULES, calls, capabilities_text, strategy, ending])


def follow_up(opening: str | None, asks: str) -> str:
    """A further question of a thread: the `opening` of a new text, or what `asks` it about the same one."""
    if opening is None:
        return f"`context` is the same, and your variables are still there.\n\n{asks}"
    return f"`context` is a new text now; your variables are still there. {opening}"


def describe(context: Context) -> str:
    """What is known of the text without reading it."""
    documents = context.num_documents()
    of_documents = f"{documents} document{'s' if documents > 1 else ''}"
    prefix = context.text[:PREFIX]
    return f"Your context is a str of {len(context)} characters, in {of_documents}. It begins:\n<<<\n{prefix}\n>>>"


def result(ran: RanBlock, names: tuple[str, ...]) -> str:
    """What came of a block, cut where it is long; `names` are variables that the REPL has from the start."""
    cell, parts = ran.cell, []
    if cell.printed.length:
        parts.append(f"\n{cell.printed.head}")
    if cell.error:
        parts.append(f"\n\n{cell.error}")
    if ran.kept:
        parts.append(prompts.kept(ran.kept))
    if cell.overwritten:
        parts.append(
            f"Restored to what they are: {', '.join(cell.overwritten)}. Choose other names for your variables."
        )
    variables = [v.name for v in cell.variables if v.type in LISTED and not v.name.startswith("_")]
    parts.append(f"REPL variables: {[*names, *variables]}\n")
    whole = "\n\n".join(parts)
    too_much = len(whole) + cell.printed.omitted - SHOWN
    if too_much <= 0:
        return whole
    cut = f"{whole[:SHOWN]}... + [{too_much} chars...]"
    return f"{cut}\n\n{cell.error}" if cell.error and cell.error not in cut else cut
