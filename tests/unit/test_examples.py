"""The examples run, each with models that say what is written down: an RLM is asked, and its text is in no prompt."""

from __future__ import annotations

import re
import runpy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.utils.function_calling import convert_to_openai_tool

from tests.fakes import ScriptedModel, cell

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


class AgentAndRLM(ScriptedModel):
    """The one model of an example: it writes an RLM's code, and calls an agent's tools where it is told of them."""

    calls_tools: tuple[tuple[str, dict[str, Any]], ...] = ()
    """One for each turn of the agent. Then it says what the last tool, or worker, has said."""

    def bind_tools(self, tools: Any, **settings: Any) -> Any:
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools])

    def _generate(self, messages: list[BaseMessage], *rest: Any, **options: Any) -> ChatResult:
        if "tools" not in options:
            return super()._generate(messages, *rest, **options)
        with self._noted(messages):
            message = self._agent(messages)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _agent(self, messages: list[BaseMessage]) -> AIMessage:
        turn = sum(isinstance(message, AIMessage) and message.name != "contract_reader" for message in messages)
        if turn < len(self.calls_tools):
            name, args = self.calls_tools[turn]
            return AIMessage("", tool_calls=[{"name": name, "args": args, "id": f"call-{turn}"}])
        said = (
            message.text
            for message in reversed(messages)
            if isinstance(message, ToolMessage | AIMessage) and message.text and "ransfer" not in message.text
        )
        return AIMessage(f"There are {next(said)}.")


@dataclass(frozen=True)
class Example:
    """How an example is run: what its agent calls, what its RLM's code is, and what comes of it."""

    code: str
    answer: str
    calls: tuple[tuple[str, dict[str, Any]], ...] = ()
    hidden: str = ""
    """A piece of the text that no model may be shown: it is from the middle."""


RUNS = {
    "chat_app": Example("Final = P.count('status=500\\n')", "1539", hidden="2026-01-01 12:46:40"),
    "tool": Example(
        "Final = P.count('late')",
        "There are 286.",
        (("ask_orders", {"question": "How many are late?"}),),
        "order 1000:",
    ),
    "middleware": Example(
        "Final = P.count('status=500')",
        "There are 231.",
        (("read_log", {}), ("ask_documents", {"question": "How many lines have status=500?", "documents": [1]})),
        "12:16:40",
    ),
    "supervisor_worker": Example(
        "Final = P.count('notice=90')", "There are 223.", (("transfer_to_contract_reader", {}),), "contract=1000 "
    ),
    "deep_agent": Example(
        "Final = P.count('article=pear')",
        "There are 501.",
        (("task", {"description": "How many orders are of pears?", "subagent_type": "general-purpose"}),),
        "order=february-250 ",
    ),
}
ELSEWHERE = {"mcp_tools": "tests/unit/asking/test_tools.py", "server": "tests/integration/test_langgraph_server.py"}
"""Examples whose test is in another file."""


def answer_of(name: str) -> Callable[[Any], str]:
    """The function of an example that takes a model and gives an answer."""
    function: Callable[[Any], str] = runpy.run_path(str(EXAMPLES / f"{name}.py"))["answer"]
    return function


@pytest.mark.filterwarnings("ignore:create_react_agent has been moved")  # the supervisor uses that itself
@pytest.mark.parametrize("name", RUNS)
def test_example_answers_from_a_text_that_no_prompt_has(name: str) -> None:
    run = RUNS[name]
    model = AgentAndRLM(script=[cell(run.code)], calls_tools=run.calls)
    assert answer_of(name)(model) == run.answer
    assert len(model.turns) == 1
    assert len(model.calls) == 1 + (len(run.calls) + 1 if run.calls else 0)
    prompts = "\n".join(message.text for call in model.calls for message in call.messages)
    assert run.hidden not in prompts


def test_every_example_is_run_by_a_test_and_linked_from_the_docs() -> None:
    names = {path.stem for path in EXAMPLES.glob("*.py")}
    assert names == RUNS.keys() | ELSEWHERE.keys()
    for name, test in ELSEWHERE.items():
        assert f"{name}.py" in (ROOT / test).read_text()
    docs = "\n".join(page.read_text() for page in (ROOT / "docs").glob("*.md"))
    assert {*re.findall(r"\]\(\.\./examples/(\w+)\.py\)", docs)} == names


@pytest.mark.parametrize("name", sorted(RUNS.keys() | ELSEWHERE.keys()))
def test_example_says_how_it_is_run(name: str) -> None:
    how = "langgraph dev" if name == "server" else f"python examples/{name}.py"
    assert f"{how}\n" in (EXAMPLES / f"{name}.py").read_text().split('"""')[1]
