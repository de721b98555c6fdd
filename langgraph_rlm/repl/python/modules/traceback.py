"""`traceback`: kinds and messages of errors. Their lines are not known while a cell runs."""

_handled = __rlm__["module"]("_errors").handled
_HEAD = ["Traceback (most recent call last):\n", "  (lines are told where a cell ends with an error)\n"]


def format_exception_only(exc, value=None, /):
    error = exc if value is None else value
    name, text = type(error).__name__, str(error)
    return [name + (": " + text if text else "") + "\n"]


def format_exception(exc, value=None, tb=None, /, limit=None, chain=True):
    return [*_HEAD, *format_exception_only(exc, value)]


def format_exc(limit=None, chain=True):
    return "".join(format_exception(_handled()))


def print_exception(exc, value=None, tb=None, /, limit=None, file=None, chain=True):
    print("".join(format_exception(exc, value)), end="")


def print_exc(limit=None, file=None, chain=True):
    print(format_exc(), end="")
