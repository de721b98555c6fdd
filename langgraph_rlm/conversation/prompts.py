"""What the model is told: the rules once, the text as metadata, and after each cell what it did.

Summaries are asked for alike in all dialects; the rest is that of "final".

Everything here is constant in size, whatever the context and the code's output are.
"""

from __future__ import annotations

import json
from typing import Any

from langgraph_rlm.context import Context
from langgraph_rlm.conversation import preview
from langgraph_rlm.repl.capabilities import Capabilities
from langgraph_rlm.repl.cells import Finished, Variable

PREFIX = 300
"""Characters of the text that the first message shows."""
MOST_REMINDER = 500
"""Characters of the question that are repeated on the way."""
MOST_QUERY = 2_000
"""Characters of a message that are the query where the message is also the text."""
MOST_VARIABLES = 30
MOST_EMPTY = 5

# What phrases are for (measured on the local model): a small model copies examples, field names and all, so there are
# none here, and the code that the first message shows is made for the text at hand. Long code with comments is where it
# errs. Unless each message tells of `Final`, it prints the same again and never ends.
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

DOCUMENTS = "Its documents: `ctx.num_documents()`, `ctx.get_document(i)`, `ctx.metadata[i]` (name, length, start, end)."


MODELS = "`llm_query(…, model=name)` asks another model: {names}.\n"

TOOLS = """
Other functions that you can call in your code. `tool_batch(function, arguments)` calls one many times at once: \
`arguments` is a list, with the argument or a dict of them for each call.
"""


def system(depth: int, max_depth: int, instructions: str | None, capabilities: Capabilities) -> str:
    """The system prompt of an RLM at `depth`."""
    parts = [RULES]
    if depth < max_depth:
        parts.append(SUBCALLS)
        parts.append(models(capabilities))
    if depth + 1 < max_depth:
        parts.append(RECURSION)
    parts.append(tools(capabilities))
    if instructions:
        parts.append(f"\n{instructions}\n")
    return "".join(parts)


def models(capabilities: Capabilities) -> str:
    """What is said of the models to choose from, if there are any."""
    return MODELS.format(names=", ".join(map(repr, capabilities.models))) if capabilities.models else ""


def tools(capabilities: Capabilities) -> str:
    """What is said of the tools, if there are any."""
    lines = [f"- `{tool.signature}`: {tool.description}\n" for tool in capabilities.tools.values()]
    return "".join([TOOLS, *lines]) if lines else ""


def opening(query: str, context: Context, rows: bool = True) -> str:
    """The first message: what is known of the text without reading it, and the question; whether it offers `rows`.

    No numbers of occurrences: a small model takes one of them for the answer.
    """
    text, documents = context.text, context.num_documents()
    words, way = preview.words_found(query, text), preview.way_apart(text)
    prefix = text[:PREFIX]
    of_documents = f"{documents} document{'s' if documents > 1 else ''}"
    parts = [f"`P` has {len(context)} characters, in {of_documents}. It begins:\n<<<\n{prefix}\n>>>"]
    if documents > 1:
        parts.append(DOCUMENTS)
    if words:
        spelled = ", ".join(repr(word) for word, _ in words)
        parts.append(f"`P` has these words of the question, in this spelling: {spelled}.")
    if lines := [line for line in preview.lines_with(words, text) if line not in prefix]:
        parts.append("Some lines with them:\n<<<\n{}\n>>>".format("\n".join(lines)))
    if missing := preview.second_search(words, text, way):
        parts.append(
            f"The only place with {words[0][0]!r} does not have {missing!r}: first print that place, then search for a "
            f"value in it that also stands beside {missing!r}."
        )
    parts.append(f"Question: {query}")
    if way and rows:
        shown = " and ".join(preview.rows_shown(words, text, way))
        parts.append(f"`rows` holds `P` taken apart:\n{way.code}\n# such as {shown}")
    return "\n\n".join(parts)


def follow_up(query: str, context: Context | None) -> str:
    """A further question on the same thread; `context` where the text is a new one."""
    if context is not None:
        new = opening(query, context, rows=False)  # there may be rows of the text before it
        return f"`P` is a new text now; your variables are still there. {new}"
    return f"The next question is about the same `P`, and your variables are still there.\n\nQuestion: {query}"


LEFT_OUT = (
    "(Steps in between are left out here. The variables they made are still there, and `past_steps` is a list of what "
    "was said in them.)"
)
SUMMARISE = (
    "This conversation is about to outgrow what you can read, so it will be replaced by what you write now. No code: "
    "say in at most 300 words what you have found, with exact values, which variables hold what, what did not work, "
    "and what you would do next."
)


SUMMARY_CUT = "(It was cut off here: its last words may not be whole.)"


def summary_text(summary: str) -> str:
    """What stands for the steps that the model has summarised."""
    return (
        "(Your earlier steps are left out here. Your variables are still there, and `past_steps` is a list of what was "
        f"said in those steps. Your own summary of them:)\n\n{summary}"
    )


def answer_schema(schema: dict[str, Any], answer: str) -> str:
    """What the answer has to be; `answer` is what it is called."""
    return f"{answer} has to be a value that satisfies this JSON schema: {json.dumps(schema)}"


def unfit(errors: str, answer: str, ending: str) -> str:
    """What is said of an answer that does not satisfy its schema; `ending` is what to write to end the run."""
    return f"{answer} does not satisfy the JSON schema of the answer:\n{errors}\nCorrect that, then {ending}."


EVIDENCE = (
    "Before you end, call `cite(quote)` for each passage that your answer rests on: `quote` is a piece of `P`, letter "
    "by letter, a sentence or a line. The answer will be checked against these passages."
)
NOTHING_CITED = "It cites nothing: call `cite(quote)` for each passage that it rests on."


def check_passage(question: str, answer: str, before: str, passage: str, after: str) -> str:
    """Asks whether one passage bears an answer out."""
    return (
        f"{_claim(question, answer)}\n\nIt is said to rest on the passage between >>> and <<<, and maybe on others. "
        "Does this passage support the answer, contradict it, or have nothing to do with it? Say why in a sentence.\n\n"
        f"{before}>>>{passage}<<<{after}"
    )


def check_all(question: str, answer: str, passages: str, code: str, output: str) -> str:
    """Asks whether all passages together bear an answer out, with the code that made it of them."""
    return (
        f"{_claim(question, answer)}\n\nBelow are the passages of the text that it rests on, and the code that came to "
        "it, with what that printed. The text itself is too long to be shown; `P` is all of it. Do they support the "
        "answer, contradict it, or have nothing to do with the question? Say why in a sentence.\n\n"
        f"Passages:\n{passages}\n\nCode:\n{code or '(none)'}\n\nIt printed:\n{output or '(nothing)'}"
    )


def _claim(question: str, answer: str) -> str:
    claim = f"Question: {question}\nAnswer: {shorten(answer)}"
    return f"Somebody has answered a question about a text. Check the answer.\n\n{claim}"


def unverified(answer: str, reason: str) -> str:
    """What is said of an answer that was checked and is not borne out."""
    return (
        f"Your answer was: {shorten(answer, 500)}\nIt was checked against the passages that you cited, and does not "
        f"hold:\n{shorten(reason)}\nLook at `P` again, correct what is wrong, cite the passages anew, and end again."
    )


def cut_off(what: str, is_too_long: bool) -> str:
    """What is said of a reply that is not whole."""
    how = "Write shorter code" if is_too_long else "Reply again, in other words"
    return f"Your reply {what}. Nothing of it ran. {how}: one block."


def unseen(answer: str, ending: str) -> str:
    """What is said of an answer that was written down before what came of the code beside it was seen."""
    return (
        f"{answer} was not taken: it was written before you had seen what your code printed. What it did print is "
        f"above. When you have the answer from that, {ending}, in a reply of its own."
    )


def unfounded(answer: str, ending: str) -> str:
    """What is asked about an answer that was written down before anything was looked at."""
    return (
        f"Nothing of the text was looked at yet, and {answer} was written down, not found. Search the text first. "
        f"If you are certain all the same, {ending} once more."
    )


def is_none(answer: str, ending: str) -> str:
    """What is asked about an answer that is None."""
    return (
        f"{answer} is None. If you are not done, go on, and set it last. If the text does not have the answer, "
        f"{ending}, with None once more."
    )


NO_CELL = "Your reply had no code. Reply with one ```python block of Python."


def after_cell(
    cell: Finished,
    output: str,
    query: str,
    repeated: bool = False,
    edited: str | None = None,
    note: str | None = None,
    has_answer: bool = False,
    kept_count: int = 0,
) -> str:
    """What a cell did: `output`, error, variables; whether the model had `repeated` it. It asks for the next cell,
    unless it `has_answer`, of which something else is said.

    `edited` is the code that ran where it is not the model's, and `note` what became of the REPL before it. Of dropped
    cells `kept_count` answers are there for the next one.
    """
    parts = [note] if note else []
    if edited is not None:
        parts.append(f"Your code was changed before it ran. This ran:\n```python\n{edited}\n```")
    if cell.printed.length:
        parts.append(f"Output ({cell.printed.length:,} characters):\n{output}".rstrip())
    if cell.error:
        parts.append(f"Error:\n{cell.error}")
    if kept_count:
        parts.append(kept(kept_count))
    if not cell.printed.length and not cell.error and not has_answer:
        parts.append("The code ran and printed nothing. Print what you want to see.")
    if cell.variables:
        parts.append(f"Variables: {list_variables(cell.variables)}")
    if empty := [variable.name for variable in cell.variables if variable.size == 0]:
        parts.append(
            f"Empty: {', '.join(empty[-MOST_EMPTY:])}. If you looked for something, it is not written that way in `P`: "
            "print a line of `P`, compare each character, and change the code."
        )
    if cell.overwritten:
        parts.append(
            f"Restored to what they are: {', '.join(cell.overwritten)}. Choose other names for your variables."
        )
    if alike := [variable.name for variable in cell.variables if variable.name in ("final", "FINAL")]:
        parts.append(f"You set `{alike[0]}`, but the answer is `Final`: write `Final = {alike[0]}`.")
    if repeated:
        parts.append(
            "You wrote this code before, and it does the same again. Leave it. Now only look: print some lines of `P`, "
            "one search at a time, and nothing else."
        )
    if not has_answer:
        parts.append(
            f"Question: {query}\nIf this output has the answer, set `Final` to that variable now. If not, search `P` "
            "for a value that it shows, or write other code."
        )
    return "\n\n".join(parts)


def kept(count: int) -> str:
    """What is said of the answers that dropped cells were given."""
    if count == 1:
        return "The answer of a model is kept: the same prompt gets it again at no cost."
    return f"{count} answers of models are kept: the same prompts get them again at no cost."


def list_variables(variables: tuple[Variable, ...]) -> str:
    """Names, types and sizes of the variables, the latest last."""
    shown = [f"{v.name} ({v.type}{'' if v.size is None else f', {v.size:,}'})" for v in variables[-MOST_VARIABLES:]]
    return ", ".join(shown) + (f" and {len(variables) - len(shown)} more" if len(variables) > len(shown) else "")


def last_turn(limit: str) -> str:
    """Asks for an answer from what is there, when a limit is reached."""
    return (
        f"The limit {limit} is reached: this is your last turn. Answer now from what you know: a ```python block that "
        "sets Final, or a line `FINAL: your answer`."
    )


def shorten(text: str, most: int = 2_000) -> str:
    """`text`, its middle left out where it is longer than `most` characters."""
    return text if len(text) <= most else f"{text[: most // 2]}\n…\n{text[-most // 2 :]}"
