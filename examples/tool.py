"""An RLM as a tool of an agent: what a model says of two thousand orders is counted, not guessed.

Run: python examples/tool.py
"""

from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import HumanMessage

from langgraph_rlm import as_tool, create_rlm
from langgraph_rlm.models import resolve_model

ORDERS = "\n".join(
    f"order {i}: {i % 5 + 1} x {'apple' if i % 3 else 'pear'}, {'late' if i % 7 == 0 else 'on time'}"
    for i in range(2_000)
)


def answer(model: Any) -> str:
    """What the agent says. Its model sees the question and the tool's answer, never the orders."""
    ask_orders = as_tool(
        create_rlm(model),
        name="ask_orders",
        description="Answers questions about all orders of the shop.",
        context=ORDERS,
    )
    agent = create_agent(model, [ask_orders])
    out = agent.invoke({"messages": [HumanMessage("How many orders are late?")]})
    return str(out["messages"][-1].text)


if __name__ == "__main__":
    print(answer(resolve_model("local")))  # any chat model that calls tools
