"""Built-in exceptions of any arguments, of which Monty's take one text: see `repl/rewriting/bridges.py`."""

_KINDS = (
    *(BaseException, Exception, SystemExit, KeyboardInterrupt, ArithmeticError, OverflowError, ZeroDivisionError),
    *(LookupError, IndexError, KeyError, RuntimeError, NotImplementedError, RecursionError, AttributeError),
    *(AssertionError, ImportError, ModuleNotFoundError, MemoryError, NameError, UnboundLocalError, SyntaxError),
    *(OSError, TimeoutError, FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError),
    *(PermissionError, StopIteration, TypeError, ValueError),
)
_BY_NAME = {repr(kind)[len("<class '") : -2]: kind for kind in _KINDS}


def arguments(kind):
    """What to make an exception of that kind with, as a function of what it was to be made with."""
    return _as_text if kind in _KINDS else _as_given


def _as_text(*given):
    return [] if not given else [str(given[0] if len(given) == 1 else given)]


def _as_given(*given):
    return given


def kind(error):
    """`type(error)`, which for Monty's own is not the kind that it was raised by."""
    known = _BY_NAME.get(type(error).__name__)
    return type(error) if known is None or not isinstance(error, known) else known


def handled():
    """The error that is being handled, if one is."""
    try:
        raise
    except BaseException as error:
        known = __rlm__["modules"].get("_classes")
        found = error if known is None else known.caught(error)
    is_none = isinstance(found, RuntimeError) and str(found) == NONE_ACTIVE
    return None if is_none else found


NONE_ACTIVE = "No active exception to reraise"
