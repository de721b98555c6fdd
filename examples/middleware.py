"""An RLM behind a middleware: a tool's result that is too long for an agent's model is asked about, not read.

Run: python examples/middleware.py
"""

from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool

from langgraph_rlm import OffloadMiddleware, create_rlm
from langgraph_rlm.models import resolve_model


@tool
def read_log() -> str:
    """Reads today's log of the web server."""
    return "\n".join(
        f"12:{i // 60 % 60:02}:{i % 60:02} user={i % 7} status={200 + 300 * (i % 13 == 0)}" for i in range(3_000)
    )


def answer(model: Any) -> str:
    """What the agent says. Its model sees the beginning of the log, and a tool that asks about all of it."""
    agent = create_agent(model, [read_log], middleware=[OffloadMiddleware(create_rlm(model))])
    out = agent.invoke({"messages": [HumanMessage("How many lines of the log have status=500?")]})
    return str(out["messages"][-1].text)


if __name__ == "__main__":
    print(answer(resolve_model("local")))  # any chat model that calls tools
