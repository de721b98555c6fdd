"""What every path writes when it has an answer."""

from __future__ import annotations

import json
from typing import Any, Literal

from langchain_core.messages import AIMessage

from langgraph_rlm.state import Question


def ended(answer: Any, question: Question, status: Literal["answered", "limit"]) -> dict[str, Any]:
    """The update that ends a question. `profile` is written here since it does not outlive the step that wrote it."""
    update: dict[str, Any] = {"answer": answer, "status": status, "profile": question["chosen"]}
    if question["chat"]:
        update["messages"] = [AIMessage(as_text(answer))]
    return update


def as_text(answer: Any) -> str:
    """An answer as a str: as it is, or as JSON."""
    return answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False, default=str)
