"""Built-in exceptions of any arguments, of which Monty's take one text: see `repl/rewriting/bridges.py`."""

_KINDS = (
    *(BaseException, Exception, SystemExit, KeyboardInterrupt, ArithmeticError, OverflowError, ZeroDivisionError),
    *(LookupError, IndexError, KeyError, RuntimeError, NotImplementedError, RecursionError, AttributeError),
    *(AssertionError, ImportError, ModuleNotFoundError, MemoryError, NameError, UnboundLocalError, SyntaxError),
    *(OSError, TimeoutError, FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError),
    *(PermissionError, StopIteration, TypeError, ValueError),
)


def arguments(kind):
    """What to make an exception of that kind with, as a function of what it was to be made with."""
    return _as_text if kind in _KINDS else _as_given


def _as_text(*given):
    return [] if not given else [str(given[0] if len(given) == 1 else given)]


def _as_given(*given):
    return given
