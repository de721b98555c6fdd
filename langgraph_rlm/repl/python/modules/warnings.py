"""`warnings`: are printed, each once."""

_state = {"is_quiet": False, "told": []}


def warn(message, category=None, stacklevel=1, source=None):
    kind = "UserWarning" if category is None else category.__name__
    text = kind + ": " + str(message)
    if not _state["is_quiet"] and text not in _state["told"]:
        _state["told"].append(text)
        print(text)


def simplefilter(action, category=None, lineno=0, append=False):
    _state["is_quiet"] = action == "ignore"


def filterwarnings(action, message="", category=None, module="", lineno=0, append=False):
    if not message and not module:
        simplefilter(action)


class catch_warnings:
    """Puts back what `simplefilter` has said."""

    def __init__(self, *, record=False):
        pass

    def __enter__(self):
        self._before = _state["is_quiet"]

    def __exit__(self, kind, error, traceback):
        _state["is_quiet"] = self._before
