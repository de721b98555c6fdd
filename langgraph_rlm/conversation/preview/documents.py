"""The documents of a text, as metadata."""

from __future__ import annotations

from langgraph_rlm.context import Context

PREFIX = 300
"""Characters of the text that are shown."""
MOST_DOCUMENTS, MOST_NAME = 20, 80
"""Documents that are listed, and characters of a name."""


def described(context: Context) -> str:
    """How long the text is, how many documents it has, and how it begins."""
    count = context.num_documents()
    of_documents = f"{count} document{'s' if count > 1 else ''}"
    return f"`P` has {len(context)} characters, in {of_documents}. It begins:\n<<<\n{context.text[:PREFIX]}\n>>>"


def listed(context: Context) -> str:
    """Its documents by number, name and size; nothing where there is only one."""
    if context.num_documents() == 1:
        return ""
    shown = [
        f"{number} {str(document['name'])[:MOST_NAME]} ({document['length']:,})"
        for number, document in enumerate(context.metadata[:MOST_DOCUMENTS])
    ]
    more = context.num_documents() - len(shown)
    return f"Its documents (characters): {', '.join(shown)}{f', and {more:,} more' if more else ''}."
