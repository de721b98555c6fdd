"""Messages as models take them."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import AnyMessage


def alternating(messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    """The messages with neighbours of one role merged: templates of llama.cpp and vLLM refuse anything else."""
    merged: list[AnyMessage] = []
    for message in messages:
        if merged and merged[-1].type == message.type:
            merged[-1] = message.model_copy(update={"content": f"{merged[-1].text}\n\n{message.text}"})
        else:
            merged.append(message)
    return merged
