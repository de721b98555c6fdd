"""What the model is told: the rules once, the text as metadata, and after each cell what it did.

Everything here is constant in size, whatever the context and the code's output are.
"""

from __future__ import annotations

from langgraph_rlm.context import Context
from langgraph_rlm.repl.cells import Finished, Variable

PREFIX = 400
"""Characters of the text that the first message shows."""
MOST_VARIABLES = 30

RULES = """\
You answer a question about a text that is too long to read. The text is the str `P` in a Python REPL. You write \
Python, you are shown what it prints, and you go on until you know the answer.

Reply with one ```repl block of Python and nothing else. Its variables stay for your next block. `re`, `json`, `math`, \
`collections`, `itertools` and `datetime` are imported. Print only what you need: long output is cut.

Work in steps:
1. Look before you search: print some lines of `P` to see how it is written.
2. Search, count or collect with Python over all of `P`, in exactly the spelling that you have seen. Print what you find.
3. When what you printed answers the question, write `Final = value`: the computed value itself, as short as possible. \
Never put a guess in `Final`.
"""

SUBCALLS = """
`llm_query(prompt, context)` asks a language model about a short piece of text and returns its answer as a str. Use it \
only for what needs understanding rather than searching or counting. `llm_batch(prompts)` asks many prompts at once and \
returns the answers in order.
"""

RECURSION = """\
`rlm_query(prompt, context)` is for a context that is itself too long to read: the model there has a REPL of its own.
"""

DOCUMENTS = """
`P` is made of documents: `ctx.num_documents()`, `ctx.get_document(i)`, `ctx.metadata[i]` (a dict with name, length, \
start, end).
"""


def system(depth: int, max_depth: int, instructions: str | None) -> str:
    """The system prompt of an RLM at `depth`."""
    parts = [RULES]
    if depth < max_depth:
        parts.append(SUBCALLS)
    if depth + 1 < max_depth:
        parts.append(RECURSION)
    parts.append(DOCUMENTS)
    if instructions:
        parts.append(f"\n{instructions}\n")
    return "".join(parts)


def opening(query: str, context: Context) -> str:
    """The first message: what is known of the text without reading it, and the question."""
    documents = context.num_documents()
    made_of = f", in {documents:,} documents" if documents > 1 else ""
    return (
        f"`P` has {len(context)} characters{made_of}. It begins:\n"
        f"<<<\n{context.text[:PREFIX]}\n>>>\n\n"
        f"Question: {query}\n\n"
        "First look at the lines of P that matter."
    )


def follow_up(query: str, context: Context | None) -> str:
    """A further question on the same thread; `context` where the text is a new one."""
    if context is not None:
        return f"`P` is a new text now; your variables are still there. {opening(query, context)}"
    return f"The next question is about the same `P`, and your variables are still there.\n\nQuestion: {query}"


LEFT_OUT = "(Steps in between are left out here. The variables they made are still there.)"

NO_CELL = "Your reply had no code. Reply with one ```repl block of Python."


def after_cell(cell: Finished, query: str) -> str:
    """What a cell did: output, error, variables. It asks for the next cell."""
    parts = []
    if cell.printed.length:
        parts.append(f"Output ({cell.printed.length:,} characters):\n{cell.printed}".rstrip())
    if cell.error:
        parts.append(f"Error:\n{cell.error}")
    if not parts:
        parts.append("The code ran and printed nothing. Print what you want to see.")
    if cell.variables:
        parts.append(f"Variables: {listed(cell.variables)}")
    if cell.restored:
        parts.append(f"Restored to what they are: {', '.join(cell.restored)}. Choose other names for your variables.")
    parts.append(f"Question: {query}\nWrite the next ```repl block; set Final = value once the output answers it.")
    return "\n\n".join(parts)


def listed(variables: tuple[Variable, ...]) -> str:
    """Names, types and sizes of the variables, the latest last."""
    shown = [f"{v.name} ({v.type}{'' if v.size is None else f', {v.size:,}'})" for v in variables[-MOST_VARIABLES:]]
    return ", ".join(shown) + (f" and {len(variables) - len(shown)} more" if len(variables) > len(shown) else "")


def last_turn(limit: str) -> str:
    """Asks for an answer from what is there, when a limit is reached."""
    return (
        f"The limit {limit} is reached: this is your last turn. Answer now from what you know: a ```repl block that sets "
        "Final, or a line `FINAL: your answer`."
    )


def shortened(text: str, most: int = 2_000) -> str:
    """`text`, its middle left out where it is longer than `most` characters."""
    return text if len(text) <= most else f"{text[: most // 2]}\n…\n{text[-most // 2 :]}"
