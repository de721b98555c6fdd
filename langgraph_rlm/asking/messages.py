"""Messages as models take them."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import AIMessage, AnyMessage

NOTHING = "(no answer)"
"""What stands for a reply of the model's that says nothing."""


def alternating(messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    """The messages with neighbours of one role merged: templates of llama.cpp and vLLM refuse anything else.

    Providers refuse empty replies too: they get words.
    """
    merged: list[AnyMessage] = []
    for message in messages:
        if isinstance(message, AIMessage) and not message.text.strip():
            message = AIMessage(NOTHING)
        if merged and merged[-1].type == message.type:
            merged[-1] = message.model_copy(update={"content": f"{merged[-1].text}\n\n{message.text}"})
        else:
            merged.append(message)
    return merged
