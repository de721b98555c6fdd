"""What the model is told alike in all dialects: of summaries, schemas, checks, tools, answers that are not taken.

Everything here is constant in size, whatever the context and the code's output are.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from langgraph_rlm.conversation.ran import RanBlock
from langgraph_rlm.repl.capabilities import Capabilities
from langgraph_rlm.repl.cells import Variable

MOST_REMINDER = 500
"""Characters of the question that are repeated on the way, where they are."""
MOST_QUERY = 2_000
"""Characters of a message that are the query where the message is also the text."""
MOST_VARIABLES = 30
MODULES = ("module", "Module", "Dates")
"""Types of variables that are imports: they are not listed."""

MODELS = "`llm_query(…, model=name)` asks another model: {names}.\n"

TOOLS = """
Other functions that you can call in your code. `tool_batch(function, arguments)` calls one many times at once: \
`arguments` is a list, with the argument or a dict of them for each call.
"""


def models(capabilities: Capabilities) -> str:
    """What is said of the models to choose from, if there are any."""
    return MODELS.format(names=", ".join(map(repr, capabilities.models))) if capabilities.models else ""


def tools(capabilities: Capabilities) -> str:
    """What is said of the tools, if there are any."""
    lines = [f"- `{tool.signature}`: {tool.description}\n" for tool in capabilities.tools.values()]
    return "".join([TOOLS, *lines]) if lines else ""


LEFT_OUT = (
    "(Steps in between are left out here. The variables they made are still there, and `past_steps` is a list of what "
    "was said in them.)"
)
SUMMARISE = (
    "This conversation is about to outgrow what you can read, so it will be replaced by what you write now. No code: "
    "say in at most 300 words what you have found, with exact values, which variables hold what, what did not work, "
    "and what you would do next."
)


def afresh(printed: Sequence[str]) -> str:
    """What stands for all before it, where a model did the same again; with the latest of what its code `printed`."""
    shown = "\n".join(shorten(output, 400) for output in printed)
    outputs = f"It printed, among other things:\n{shown}\n\n" if shown else ""
    return (
        "What you have tried so far did not find the answer, and is left out here. The variables it made are still "
        f"there. {outputs}Begin afresh, in another way. This is what came of the last code:"
    )


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
        f"{answer} was written down, not found: nothing that your code printed was seen yet. Look at the text first. "
        f"If you are certain all the same, {ending} once more."
    )


def no_value(answer: str, ending: str) -> str:
    """What is asked about an answer with an object in it that is no value."""
    return (
        f"{answer} has what Python writes of an object that is no value (<… at 0x…>): call it, or take its items or "
        f"fields, then {ending}. If the text itself says so, {ending} once more."
    )


NOT_TOLD = "The lines of `P` with words of the question do not tell the answer. Look at other places, or compute it."
"""What is said after a cell of the host's own that has put the question over lines found, in vain."""


def is_none(answer: str, ending: str) -> str:
    """What is asked about an answer that is None."""
    return (
        f"{answer} is None. If you are not done, go on, and set it last. If the text does not have the answer, "
        f"{ending}, with None once more."
    )


NO_CELL = "Your reply had no code. Reply with one ```repl block of Python."


def kept(count: int) -> str:
    """What is said of the answers that dropped cells were given."""
    if count == 1:
        return "The answer of a model is kept: the same prompt gets it again at no cost."
    return f"{count} answers of models are kept: the same prompts get them again at no cost."


def list_variables(variables: tuple[Variable, ...]) -> str:
    """Names, types and sizes of the variables, the latest last, without what was imported."""
    variables = tuple(variable for variable in variables if variable.type not in MODULES)
    shown = [f"{v.name} ({v.type}{'' if v.size is None else f', {v.size:,}'})" for v in variables[-MOST_VARIABLES:]]
    return ", ".join(shown) + (f" and {len(variables) - len(shown)} more" if len(variables) > len(shown) else "")


def shorten(text: str, most: int = 2_000) -> str:
    """`text`, its middle left out where it is longer than `most` characters."""
    return text if len(text) <= most else f"{text[: most // 2]}\n…\n{text[-most // 2 :]}"


def what_ran(ran: RanBlock, output: str) -> list[str]:
    """What a cell of the dialect "final" did, of which `output` is shown."""
    cell, parts = ran.cell, [ran.note] if ran.note else []
    if ran.is_edited:
        parts.append(f"Your code was changed before it ran. This ran:\n```python\n{ran.code}\n```")
    if cell.printed.length:
        parts.append(f"Output ({cell.printed.length:,} characters):\n{output}".rstrip())
    if cell.error:
        parts.append(f"Error:\n{cell.error}")
    if ran.kept:
        parts.append(kept(ran.kept))
    if not cell.printed.length and not cell.error and not ran.has_answer:
        parts.append("The code ran and printed nothing. Print what you want to see.")
    if variables := list_variables(cell.variables):
        parts.append(f"Variables: {variables}")
    if cell.overwritten:
        parts.append(
            f"Restored to what they are: {', '.join(cell.overwritten)}. Choose other names for your variables."
        )
    if (name := ran.misnamed_answer) and not ran.has_answer:
        parts.append(f"You set `{name}`, but the answer is `Final`: write `Final = {name}`.")
    return parts


def same_text(query: str) -> str:
    """A further question about the text that the thread has."""
    return f"The next question is about the same `P`, and your variables are still there.\n\nQuestion: {query}"


def last_turn(limit: str) -> str:
    """Asks for an answer from what is there, when a limit is reached."""
    return (
        f"The limit {limit} is reached: this is your last turn. Answer now from what you know: a ```repl block that "
        "sets Final, or a line `FINAL: your answer`."
    )
