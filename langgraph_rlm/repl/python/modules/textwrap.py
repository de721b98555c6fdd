"""`textwrap`: lines of a width."""


def wrap(text, width=70, **options):
    return __rlm__["standard"]("textwrap.wrap", text, {"width": width, **options})


def fill(text, width=70, **options):
    return "\n".join(wrap(text, width, **options))


def shorten(text, width, **options):
    return fill(" ".join(text.strip().split()), width, **{**options, "max_lines": 1})


def dedent(text):
    return __rlm__["standard"]("textwrap.dedent", text)


def indent(text, prefix, predicate=None):
    lines = text.splitlines(True)
    return "".join([prefix + line if (predicate or _has_text)(line) else line for line in lines])


def _has_text(line):
    return line.strip()


class TextWrapper:
    """Options for `wrap` and `fill`."""

    def __init__(self, width=70, **options):
        self._options = {"width": width, **options}

    def wrap(self, text):
        return wrap(text, **self._options)

    def fill(self, text):
        return fill(text, **self._options)
