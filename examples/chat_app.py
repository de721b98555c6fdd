"""An RLM as a node of a chat app: a long message is read by code, not by the prompt.

Run: python examples/chat_app.py
"""

from typing import Any

from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph

from langgraph_rlm import create_rlm

LOG = "\n".join(
    f"2026-01-01 12:{i // 60 % 60:02}:{i % 60:02} user={i % 7} status={200 + 300 * (i % 13 == 0)}"
    for i in range(20_000)
)


def answer(model: Any) -> str:
    """What the app says to the last message."""
    rlm = create_rlm(model, checkpointer=True)  # True: the REPL lives over the turns of a thread
    app = StateGraph(MessagesState).add_node("rlm", rlm).add_edge(START, "rlm").compile(checkpointer=InMemorySaver())
    messages: list[Any] = [
        HumanMessage(f"Here is the log:\n{LOG}"),
        HumanMessage("How many lines have status=500? Count lines of the log alone."),
    ]
    out = app.invoke({"messages": messages}, {"configurable": {"thread_id": "1"}})
    return str(out["messages"][-1].text)


if __name__ == "__main__":
    print(answer("local"))  # or "openai:gpt-5-mini", or any LangChain chat model
