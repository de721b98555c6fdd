"""What Monty's dates lack, or have otherwise than CPython: methods as functions, each made for an owner.

The owner is what code has called the method of: the class or the value, which may be no date at all. Times without a
zone are UTC here, as the clock of the sandbox is. This file is not rewritten as a cell is: it would call itself.
"""

import math
import re
from collections import namedtuple
from datetime import date, timedelta, timezone
from datetime import datetime as moment

both = __rlm__["datetime"]
_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_MONTHS = [
    *["january", "february", "march", "april", "may", "june"],
    *["july", "august", "september", "october", "november", "december"],
]
_EPOCH = moment(1970, 1, 1)
IsoCalendarDate = namedtuple("IsoCalendarDate", ["year", "week", "weekday"])


# -- strptime -----------------------------------------------------------------------------------------------------


def _any_of(words):
    return "(" + "|".join(sorted(words, key=len, reverse=True)) + ")"


_PATTERNS = {
    "d": r"(3[0-1]|[1-2]\d|0[1-9]|[1-9]| [1-9])",
    "f": r"([0-9]{1,6})",
    "H": r"(2[0-3]|[0-1]\d|\d)",
    "I": r"(1[0-2]|0[1-9]|[1-9])",
    "G": r"(\d\d\d\d)",
    "j": r"(36[0-6]|3[0-5]\d|[1-2]\d\d|0[1-9]\d|00[1-9]|[1-9]\d|0[1-9]|[1-9])",
    "m": r"(1[0-2]|0[1-9]|[1-9])",
    "M": r"([0-5]\d|\d)",
    "S": r"(6[0-1]|[0-5]\d|\d)",
    "U": r"(5[0-3]|[0-4]\d|\d)",
    "W": r"(5[0-3]|[0-4]\d|\d)",
    "w": r"([0-6])",
    "u": r"([1-7])",
    "V": r"(5[0-3]|0[1-9]|[1-4]\d|\d)",
    "y": r"(\d\d)",
    "Y": r"(\d\d\d\d)",
    "z": r"([+-]\d\d:?[0-5]\d(?::?[0-5]\d(?:\.\d{1,6})?)?|(?-i:Z))",
    "A": _any_of(_DAYS),
    "a": _any_of([name[:3] for name in _DAYS]),
    "B": _any_of(_MONTHS),
    "b": _any_of([name[:3] for name in _MONTHS]),
    "p": "(am|pm)",
    "Z": "(utc|gmt)",
    "%": "%",
}
_TOGETHER = {"c": "%a %b %d %H:%M:%S %Y", "x": "%m/%d/%y", "X": "%H:%M:%S"}
_compiled = {}


def strptime(kind):
    if kind is date:
        raise AttributeError("type object 'datetime.date' has no attribute 'strptime'")
    return _strptime


def _strptime(text, form):
    """As CPython's `_strptime`, in the locale C."""
    for place, value in enumerate([text, form]):
        if not isinstance(value, str):
            raise TypeError(f"strptime() argument {place + 1} must be str, not {type(value).__name__}")
    if form not in _compiled:
        _compiled[form] = _compile(form)
    keys, pattern = _compiled[form]
    found = pattern.match(text)
    if found is None:
        raise ValueError(f"time data {text!r} does not match format {form!r}")
    if found.end() < len(text):
        raise ValueError(f"unconverted data remains: {text[found.end() :]}")
    parts = dict(zip(keys, found.groups()))
    year, month, day = _day(parts)
    hour = int(parts.get("H", 0))
    if "I" in parts:
        hour = int(parts["I"]) % 12 + (12 if parts.get("p", "").lower() == "pm" else 0)
    second, micro = int(parts.get("S", 0)), int(parts.get("f", "").ljust(6, "0"))
    minute = int(parts.get("M", 0))
    if second > 59:
        raise ValueError("second must be in 0..59")
    return moment(year, month, day, hour, minute, second, micro, _zone(parts["z"]) if "z" in parts else None)


def _compile(form):
    """The directives of a format, in order, and its pattern."""
    keys, pattern = [], ""
    for name, together in _TOGETHER.items():
        form = form.replace("%" + name, together)
    pieces = re.split("(%.?|[ \t\n\r\x0b\x0c]+)", form)
    for piece in pieces:
        if piece == "%":
            raise ValueError(f"stray % in format {form!r}")
        if piece[:1] == "%":
            if piece[1] not in _PATTERNS:
                raise ValueError(f"{piece[1]!r} is a bad directive in format {form!r}")
            if piece[1] in keys:
                raise ValueError(f"the directive {piece} stands twice in format {form!r}")
            pattern += _PATTERNS[piece[1]]
            if piece[1] != "%":
                keys.append(piece[1])
        else:
            pattern += r"\s+" if piece and not piece.strip(" \t\n\r\x0b\x0c") else re.escape(piece)
    if "V" in keys or "G" in keys:
        _check_iso(keys, form)
    return keys, re.compile(pattern, re.IGNORECASE)


def _check_iso(keys, form):
    if not ("G" in keys and "V" in keys and any([key in keys for key in "Aawu"])):
        raise ValueError(f"%G, %V and a weekday go together: {form!r}")


def _day(parts):
    year = int(parts.get("Y", 1900))
    if "y" in parts:
        year = int(parts["y"]) + (2000 if int(parts["y"]) <= 68 else 1900)
    month, day = int(parts.get("m", 1)), int(parts.get("d", 1))
    if "B" in parts:
        month = _MONTHS.index(parts["B"].lower()) + 1
    elif "b" in parts:
        month = [name[:3] for name in _MONTHS].index(parts["b"].lower()) + 1
    if "j" in parts:
        return _ymd(_ordinal(year, 1, 1) + int(parts["j"]) - 1)
    weekday = _weekday(parts)
    if "G" in parts:
        return _ymd(_iso_ordinal(int(parts["G"]), int(parts["V"]), weekday + 1))
    if weekday is not None and "Y" in parts and ("U" in parts or "W" in parts):
        return _ymd(_of_week(year, parts, weekday))
    return year, month, day


def _weekday(parts):
    """From Monday, which is 0."""
    if "A" in parts:
        return _DAYS.index(parts["A"].lower())
    if "a" in parts:
        return [name[:3] for name in _DAYS].index(parts["a"].lower())
    if "w" in parts:
        return (int(parts["w"]) - 1) % 7
    return int(parts["u"]) - 1 if "u" in parts else None


def _of_week(year, parts, weekday):
    """The ordinal of a weekday in a week of the year, which begins on Sunday (U) or Monday (W)."""
    first, week = (_ordinal(year, 1, 1) - 1) % 7, int(parts.get("U", parts.get("W", 0)))
    if "U" in parts:
        first, weekday = (first + 1) % 7, (weekday + 1) % 7
    days = weekday - first if week == 0 else (7 - first) % 7 + 7 * (week - 1) + weekday
    return _ordinal(year, 1, 1) + days


def _zone(text):
    if text == "Z":
        return timezone.utc
    digits = text[1:].replace(":", "")
    seconds = int(digits[:2]) * 3600 + int(digits[2:4]) * 60 + int(digits[4:6] or 0)
    return timezone(timedelta(seconds=seconds if text[0] == "+" else -seconds))


# -- days -----------------------------------------------------------------------------------------------------------


def _ordinal(year, month, day):
    """Days since the year 1, whose first is 1."""
    return (date(year, month, day) - date(1, 1, 1)).days + 1


def _ymd(ordinal):
    if not 1 <= ordinal <= 3652059:
        raise ValueError("ordinal must be in 1..3652059")
    found = date(1, 1, 1) + timedelta(days=ordinal - 1)
    return found.year, found.month, found.day


def _iso_ordinal(year, week, weekday):
    first = _ordinal(year, 1, 4)
    return first - (first - 1) % 7 + 7 * (week - 1) + weekday - 1


def toordinal(owner):
    return lambda: _ordinal(owner.year, owner.month, owner.day)


def fromordinal(kind):
    return lambda ordinal: kind(*_ymd(ordinal))


def isocalendar(owner):
    def weeks():
        ordinal, year = _ordinal(owner.year, owner.month, owner.day), owner.year
        if year < 9999 and ordinal >= _iso_ordinal(year + 1, 1, 1):
            year += 1
        elif ordinal < _iso_ordinal(year, 1, 1):
            year -= 1
        return IsoCalendarDate(year, (ordinal - _iso_ordinal(year, 1, 1)) // 7 + 1, owner.isoweekday())

    return weeks


def fromisocalendar(kind):
    def of_week(year, week, day):
        last = 53 if _iso_ordinal(year, 53, 1) < _iso_ordinal(year + 1, 1, 1) else 52
        if not 1 <= week <= last:
            raise ValueError(f"Invalid week: {week}")
        if not 1 <= day <= 7:
            raise ValueError(f"Invalid weekday: {day} (range is [1, 7])")
        return kind(*_ymd(_iso_ordinal(year, week, day)))

    return of_week


def fromisoformat(kind):
    def read(text):
        try:
            return kind.fromisoformat(text)
        except ValueError:
            found = re.fullmatch(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)?(Z|[+-]\d\d:?\d\d)?)?", text)
            if found is None or (kind is date and found[4]):
                raise
        hours = [int(part) for part in found.groups()[3:6] if part] if kind is not date else []
        if kind is not date and found[7]:
            return kind(*[int(part) for part in found.groups()[:3]], *hours, tzinfo=_zone(found[7]))
        return kind(*[int(part) for part in found.groups()[:3]], *hours)

    return read


StructTime = namedtuple(
    "struct_time",
    ["tm_year", "tm_mon", "tm_mday", "tm_hour", "tm_min", "tm_sec", "tm_wday", "tm_yday", "tm_isdst"],
)


def timetuple(owner):
    time = (owner.hour, owner.minute, owner.second) if isinstance(owner, moment) else (0, 0, 0)
    of_year = _ordinal(owner.year, owner.month, owner.day) - _ordinal(owner.year, 1, 1) + 1
    return lambda: StructTime(owner.year, owner.month, owner.day, *time, owner.weekday(), of_year, -1)


def ctime(owner):
    time = owner.strftime("%H:%M:%S") if isinstance(owner, moment) else "00:00:00"
    return lambda: owner.strftime("%a %b ") + str(owner.day).rjust(2) + f" {time} {owner.year:04}"


# -- the clock ------------------------------------------------------------------------------------------------------


def fromtimestamp(kind):
    if kind is date:
        return lambda timestamp: _since_epoch(timestamp).date()

    def at(timestamp, tz=None):
        at_utc = _since_epoch(timestamp)
        return at_utc if tz is None else at_utc.replace(tzinfo=timezone.utc).astimezone(tz)

    return at


def utcfromtimestamp(kind):
    return _since_epoch


def _since_epoch(timestamp):
    if not isinstance(timestamp, (int, float)):
        raise TypeError(f"a number is needed, not {type(timestamp).__name__}")
    whole = math.floor(timestamp)
    return _EPOCH + timedelta(seconds=whole, microseconds=round((timestamp - whole) * 1_000_000))


def today(kind):
    return (lambda: date.today()) if kind is date else lambda: moment.now()


def utcnow(kind):
    return lambda: moment.now(timezone.utc).replace(tzinfo=None)


_MICROSECONDS = {
    "days": 86_400_000_000,
    "seconds": 1_000_000,
    "microseconds": 1,
    "milliseconds": 1_000,
    "minutes": 60_000_000,
    "hours": 3_600_000_000,
    "weeks": 604_800_000_000,
}


def span_of(kind):
    """`timedelta` that takes fractions: what is left of microseconds is rounded once, to the even one."""

    def span(*given, **named):
        parts = {**dict(zip(_MICROSECONDS, given)), **named}
        if not any([isinstance(value, float) for value in parts.values()]):
            return kind(*given, **named)
        total, left = 0, 0.0
        for name, value in parts.items():
            whole = int(value)
            more = (value - whole) * _MICROSECONDS[name]
            total += whole * _MICROSECONDS[name] + int(more)
            left += more - int(more)
        is_odd = total % 2
        total += 2 * round((left + is_odd) / 2) - is_odd if abs(left - int(left)) == 0.5 else round(left)
        seconds, micro = divmod(total, 1_000_000)
        days, seconds = divmod(seconds, 86_400)
        return kind(days=days, seconds=seconds, microseconds=micro)

    return span


# -- by name --------------------------------------------------------------------------------------------------------

_OF_CLASSES = {
    "strptime": strptime,
    "fromisoformat": fromisoformat,
    "fromtimestamp": fromtimestamp,
    "utcfromtimestamp": utcfromtimestamp,
    "fromordinal": fromordinal,
    "fromisocalendar": fromisocalendar,
    "utcnow": utcnow,
    "today": today,
}
_OF_DATES = {"isocalendar": isocalendar, "toordinal": toordinal, "timetuple": timetuple, "ctime": ctime}
_OF_OTHERS = {
    "strptime": lambda it: lambda *given, **named: it.strptime(*given, **named),
    "fromisoformat": lambda it: lambda *given, **named: it.fromisoformat(*given, **named),
    "fromtimestamp": lambda it: lambda *given, **named: it.fromtimestamp(*given, **named),
    "utcfromtimestamp": lambda it: lambda *given, **named: it.utcfromtimestamp(*given, **named),
    "fromordinal": lambda it: lambda *given, **named: it.fromordinal(*given, **named),
    "fromisocalendar": lambda it: lambda *given, **named: it.fromisocalendar(*given, **named),
    "utcnow": lambda it: lambda *given, **named: it.utcnow(*given, **named),
    "today": lambda it: lambda *given, **named: it.today(*given, **named),
    "isocalendar": lambda it: lambda *given, **named: it.isocalendar(*given, **named),
    "toordinal": lambda it: lambda *given, **named: it.toordinal(*given, **named),
    "timetuple": lambda it: lambda *given, **named: it.timetuple(*given, **named),
    "ctime": lambda it: lambda *given, **named: it.ctime(*given, **named),
    "timedelta": lambda it: it,
}


def method_of(owner, name):
    """The method of that name, of whatever code has called it of. "timedelta" is that class itself."""
    if owner is both or owner is moment or owner is date:
        found, owner = _OF_CLASSES.get(name), moment if owner is both else owner
    elif isinstance(owner, date):
        found = {**_OF_CLASSES, **_OF_DATES}.get(name)
        owner = type(owner) if name in _OF_CLASSES else owner
    else:
        found = span_of if owner is timedelta else None
    return (found or _OF_OTHERS[name])(owner)
