"""`pprint`: values over several lines."""

_OPTIONS = ("indent", "width", "depth", "compact", "sort_dicts", "underscore_numbers")


def pformat(object, indent=1, width=80, depth=None, *, compact=False, sort_dicts=True, underscore_numbers=False):
    given = [indent, width, depth, compact, sort_dicts, underscore_numbers]
    try:
        return __rlm__["standard"]("pprint.pformat", _plain(object), dict(zip(_OPTIONS, given)))
    except TypeError:
        return repr(object)


def _plain(value):
    """`value` without what the host cannot hold: Counters and the like are shown as dicts."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if type(value) is list:
        return [_plain(item) for item in value]
    return value


def pprint(object, stream=None, *arguments, **options):
    text = pformat(object, *arguments, **options) + "\n"
    if stream is None:
        print(text, end="")
    else:
        stream.write(text)


def pp(object, *arguments, sort_dicts=False, **options):
    pprint(object, *arguments, sort_dicts=sort_dicts, **options)
