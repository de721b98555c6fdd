"""An RLM as a sub-agent of Deep Agents: it answers from all files of the agent's file system, however long they are.

Run: pip install deepagents; python examples/deep_agent.py
"""

from typing import Any

from deepagents import FilesystemMiddleware, create_deep_agent
from deepagents.backends.utils import create_file_data
from langchain_core.documents import Document
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableLambda

from langgraph_rlm import create_rlm
from langgraph_rlm.models import resolve_model

ORDERS = {
    f"/orders/{month}.txt": "\n".join(
        f"order={month}-{i} pieces={i % 5 + 1} article={'apple' if i % 3 else 'pear'}" for i in range(500)
    )
    for month in ("january", "february", "march")
}


def with_files(state: Any) -> Any:
    """What the sub-agent is asked, and the agent's files as its text."""
    files = [Document(file["content"], metadata={"source": path}) for path, file in state["files"].items()]
    return {"messages": state["messages"], "context": files}


def answer(model: Any) -> str:
    """What the agent says. Its model sees the question and the sub-agent's answer, never a file."""
    reader: Any = {
        "name": "general-purpose",  # in place of the sub-agent of this name that is there otherwise
        "description": "Answers questions about all orders. Give it the question alone.",
        "runnable": RunnableLambda(with_files) | create_rlm(model),
    }
    agent: Any = create_deep_agent(
        model=model,
        subagents=[reader],
        system_prompt="Give every question to your subagent as it is, word for word. Then tell the user its answer.",
        middleware=[FilesystemMiddleware(tools=["read_file"])],  # all seven take a small model 1,700 tokens to read
    )
    files = {path: create_file_data(text) for path, text in ORDERS.items()}
    out = agent.invoke({"messages": [HumanMessage("How many orders are of pears?")], "files": files})
    return str(out["messages"][-1].text)


if __name__ == "__main__":
    print(answer(resolve_model("local")))  # any chat model that calls tools
