"""Which answers are valid. This file runs in the sandbox, before the prelude, and on the host."""

NO_ANSWER = "NO_ANSWER"
ERROR = "Error: "
NOT_ASKED = "not asked: no sub-calls are left"
MOST_DECLINED = 40
TOO_LONG = "too long for the model: "


def is_valid(answer: str) -> bool:
    """Whether an answer says something: it is neither empty, nor an error, nor `NO_ANSWER`."""
    says = NO_ANSWER not in answer and not declines(answer)
    return says and bool(answer.strip()) and not answer.strip().startswith(ERROR)


def declines(answer: str) -> bool:
    """Whether an answer is `NO_ANSWER`, as models spell it, or what they were told it stands for; nothing besides."""
    letters = "".join([character for character in answer[:MOST_DECLINED].lower() if character.isalnum()])
    return len(answer) < MOST_DECLINED and letters in ("noanswer", "answernoanswer", "noneofthishastodowithit")
