"""What Monty's `sys` lacks."""

_limit = [1000]


def setrecursionlimit(limit, /):
    """Is noted: how deep calls may be is the sandbox's own."""
    _limit[0] = limit


def getrecursionlimit():
    return _limit[0]


def exit(status=None, /):
    raise SystemExit(*([] if status is None else [str(status)]))


def exc_info():
    error = exception()
    return (None, None, None) if error is None else (type(error), error, None)


def exception():
    """The error that is being handled."""
    return __rlm__["module"]("_errors").handled()
