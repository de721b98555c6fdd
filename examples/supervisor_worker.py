"""An RLM as a worker of a supervisor: it answers from a text that nobody else has to read.

Run: pip install langgraph-supervisor; python examples/supervisor_worker.py
"""

from typing import Any

from langchain_core.messages import HumanMessage
from langgraph.graph import START, MessagesState, StateGraph
from langgraph_supervisor import create_supervisor

from langgraph_rlm import create_rlm
from langgraph_rlm.models import resolve_model

CONTRACTS = "\n".join(
    f"contract={i} customer={i % 40} notice={30 if i % 9 else 90} status={'signed' if i % 4 else 'draft'}"
    for i in range(2_000)
)


def answer(model: Any) -> str:
    """What the supervisor says in the end."""
    rlm = create_rlm(model, name="contract_reader")

    def read(state: MessagesState) -> Any:
        # Without a context the conversation would be the text. The question is the last message of a human.
        out = rlm.invoke({"messages": state["messages"], "context": CONTRACTS})
        return {"messages": out["messages"][-1]}

    reader = StateGraph(MessagesState).add_node(read).add_edge(START, "read").compile(name="contract_reader")
    app = create_supervisor([reader], model=model).compile()
    out = app.invoke({"messages": [HumanMessage("How many contracts have a notice of 90 days?")]})
    return str(out["messages"][-1].text)


if __name__ == "__main__":
    print(answer(resolve_model("local")))  # any chat model that calls tools
