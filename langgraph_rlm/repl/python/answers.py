"""Which answers are valid. This file runs in the sandbox, before the prelude, and on the host."""

NO_ANSWER = "NO_ANSWER"
ERROR = "Error: "
NOT_ASKED = "not asked: no sub-calls are left"
TOO_LONG = "too long for the model: "


def is_valid(answer: str) -> bool:
    """Whether an answer says something: it is neither empty, nor an error, nor `NO_ANSWER`."""
    return bool(answer.strip()) and NO_ANSWER not in answer and not answer.strip().startswith(ERROR)
