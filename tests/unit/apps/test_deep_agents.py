"""An RLM in Deep Agents: as a sub-agent, over the files of its file system, and for what is too long for its model."""

from __future__ import annotations

from typing import Any

from deepagents import create_deep_agent
from langchain_core.documents import Document
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver

from langgraph_rlm import Limits, OffloadMiddleware, as_tool
from tests.fakes import ScriptedModel, cell, rlm_of
from tests.unit.apps.test_offload import LONG, Agent

THREAD: Any = {"configurable": {"thread_id": "1"}}


def reader(code: str) -> Any:
    return rlm_of(ScriptedModel(cell(code)), name="reader", limits=Limits(max_steps=1))


def test_rlm_is_a_compiled_sub_agent() -> None:
    model = Agent(script=[[("task", {"description": "Who is Ishmael?", "subagent_type": "reader"})], "done"])
    subagent: Any = {"name": "reader", "description": "Reads.", "runnable": reader("Final = P.upper()")}
    agent = create_deep_agent(model=model, subagents=[subagent], checkpointer=InMemorySaver())
    out = agent.invoke({"messages": [HumanMessage("?")]}, THREAD)
    assert model.seen[1][-1].text == "WHO IS ISHMAEL?"
    assert out["messages"][-1].text == "done"


def files_of(runtime: Any) -> list[Document]:
    files = runtime.state["files"]
    return [Document(file["content"], metadata={"source": path}) for path, file in files.items()]


def test_rlm_reads_the_files_of_its_file_system() -> None:
    code = "Final = [[d['name'] for d in ctx.metadata], P.count('nothing'), 'needle' in P]"
    ask = as_tool(reader(code), name="ask_files", description="Asks about all files.", context=files_of)
    writes = [("write_file", {"file_path": f"/{name}.txt", "content": f"{name}\n{LONG}"}) for name in "ab"]
    model = Agent(script=[writes, [("ask_files", {"question": "What is there?"})], "done"])
    agent = create_deep_agent(model=model, tools=[ask], checkpointer=InMemorySaver())
    agent.invoke({"messages": [HumanMessage("?")]}, THREAD)
    assert model.seen[2][-1].text == '[["/a.txt", "/b.txt"], 4000, true]'


@tool
def fetch() -> str:
    """Fetches a page."""
    return LONG


def test_what_is_too_long_for_its_model_is_asked_about() -> None:
    model = Agent(script=[[("fetch", {})], [("ask_documents", {"question": "What is the needle?"})], "77"])
    offload = OffloadMiddleware(reader("Final = re.search('needle is (.*)', P).group(1)"))
    agent: Any = create_deep_agent(model=model, tools=[fetch], middleware=[offload], checkpointer=InMemorySaver())
    agent.invoke({"messages": [HumanMessage("?")]}, THREAD)
    assert "document 1, which has" in model.seen[1][-1].text
    assert model.seen[2][-1].text == "77"
