"""The same expressions here and in CPython: values, or the same kind of error. `re` has tests of its own."""

from __future__ import annotations

import collections
import datetime
import itertools
import json
import math
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from tests.fakes import final_of, run

EACH = 150
"""Expressions of a kind."""
WORDS = [
    *["", "a", "abc", "Hello World", "  x y  ", "a,b,,c", "ÄÖü ß", "\u017f", "İ", "\u0131", "日本語", "1234"],
    *[
        "a\tb\nc\r\nd",
        "12.50",
        "-5",
        "+3",
        " 7 ",
        "1_000",
        "1e5",
        "nan",
        "Ⅷ",
        "²",
        "foo.bar",
        "x=1;y=2",
        "\u200d",
        "é",
        "e\u0301",
    ],
    *["\x1c", "\x85z\u2028w", "aaa", "ﬁ", "ǅ", "0x1f", "inf", "1__0", "_1", "12,345.6", "A-b_c d's", '"q"', "{}", "%s"],
]
FLOATS = [0.0, -0.0, 1e300, 1e-300, 1e16, 1e15, 0.1, 5e-324, 1e22, 1e21, 2.5, 0.5, 1.5, 2.675, 1.15, 1e-5, 1e-4]
METHODS = [
    *[
        "upper()",
        "lower()",
        "title()",
        "capitalize()",
        "swapcase()",
        "casefold()",
        "strip()",
        "split()",
        "splitlines()",
    ],
    *[
        "splitlines(True)",
        "isdigit()",
        "isalpha()",
        "isnumeric()",
        "isdecimal()",
        "isalnum()",
        "isspace()",
        "isupper()",
    ],
    *[
        "islower()",
        "istitle()",
        "isidentifier()",
        "isprintable()",
        "isascii()",
        "encode()",
        "expandtabs(3)",
        "zfill(6)",
    ],
    *[
        "expandtabs(3)",
        "zfill(6)",
        "center(9, '*')",
        "ljust(6)",
        "rjust(6, '-')",
        "partition(',')",
        "rpartition(' ')",
        "split('')",
    ],
    *[
        "rsplit(',', 1)",
        "split(None, 1)",
        "replace('a', 'b', 1)",
        "split(',')",
        "replace('', '-')",
        "find('b')",
        "index('b')",
    ],
    *[
        "count('')",
        "startswith(('a', 'H'))",
        "endswith('c')",
        "removeprefix('a')",
        "rstrip('c\\n')",
        "join(['1', '2'])",
    ],
]
DUMPED = ["", ", indent=2", ", sort_keys=True", ", ensure_ascii=False", ", separators=(',', ':')", ", allow_nan=False"]
LOADED = [
    *['{"a": 1}', "[1,2", '{"a": NaN}', '"\\u00e9\\ud83d\\ude00"', "1e5", "1E400", "-0", "-0.0", "01", "[1,]", " 1 "],
    *[
        '{"a":1,"a":2}',
        '"a\nb"',
        "nul",
        "12345678901234567890123",
        "1.0",
        "Infinity",
        '"\\x"',
        "",
        "[] x",
        "{1:2}",
        "1.",
    ],
]
FORMATS = [
    *["%Y-%m-%d", "%d/%m/%Y", "%d.%m.%y", "%B %d, %Y", "%b %d %Y", "%d %B %Y", "%Y-%m-%dT%H:%M:%S", "%I:%M %p", "%Y"],
    *["%Y-%m-%d %H:%M:%S.%f", "%H:%M", "%B %Y", "%m/%Y", "%A, %d %B %Y", "%a %b %d %H:%M:%S %Y", "%j %Y", "%Y%m%d"],
    *["%Y%m%d%H%M%S", "%x", "%X", "%c", "%U %w %Y", "%W %a %Y", "%G-W%V-%u", "%d%b%Y", "%y%m%d"],
]
ISO = [
    *["2024-01-02", "2024-01-02T03:04", "20240102", "20240102T030405", "2024-01-02 03:04:05.12", "2024-13-01", "x"],
    *["2024-01-02T03:04:05Z", "2024-1-2"],
]


class Expressions:
    """Makes expressions, the same for each seed. Numbers are in parentheses, so that they stand in any place."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def any_of(self, *choices: Any) -> str:
        return str(self.random.choice(choices))

    def whole(self) -> str:
        most = self.random.choice([3, 20, 10**25])
        return f"({self.random.randint(-most, most)})"

    def number(self) -> str:
        number = self.random.choice(
            [
                self.random.uniform(-100, 100),
                self.random.randint(-9999, 9999) / 100,
                self.random.randint(-999, 999) / 8,
                self.random.uniform(-1, 1) * 10 ** self.random.randint(-12, 14),
                self.random.choice(FLOATS),
                True,
            ]
        )
        return self.any_of(f"({number!r})", self.whole())

    def word(self) -> str:
        return repr(self.random.choice(WORDS))

    def items(self) -> str:
        item: Callable[[], str] = self.random.choice([self.number, self.word, self._pair])
        return f"[{', '.join(item() for _ in range(self.random.randrange(6)))}]"

    def _pair(self) -> str:
        return f"({self.random.randint(0, 3)}, {self.word()})"

    def data(self, depth: int = 0) -> str:
        parts = [self.data(depth + 1) for _ in range(self.random.randrange(4))] if depth < 3 else []
        pairs = [f"{self.any_of(self.word(), self.whole(), None, 1.5)}: {part}" for part in parts]
        plain = [self.number(), self.word(), None, True]
        return self.any_of(*plain, f"[{', '.join(parts)}]", f"{{{', '.join(pairs)}}}") if parts else self.any_of(*plain)

    def spec(self) -> str:
        parts = (["", "<", ">", "^", "*^", "="], ["", "+", " "], ["", "#"], ["", "0"], ["", "5", "12"], ["", ",", "_"])
        precision, kind = ["", ".0", ".1", ".2", ".3", ".10"], ["", *"dfeg%nxbosEGX"]
        return "".join(self.random.choice(part) for part in (*parts, precision, kind))

    def day(self) -> str:
        return f"datetime.date({self.random.randint(1900, 2100)}, {self.random.randint(1, 12)}, {self._of(28)})"

    def _of(self, most: int) -> int:
        return self.random.randint(1, most)

    def moment(self) -> str:
        time = f"{self._of(23)}, {self._of(59)}, {self._of(59)}, {self.random.choice([0, 5, 123456])}"
        return f"datetime.datetime({self.random.randint(1970, 2060)}, {self._of(12)}, {self._of(28)}, {time})"

    def span(self) -> str:
        days, seconds = self.any_of(0, 1, -3, 40, 1.5, -0.3), self.any_of(0, 1, -5, 3601, 2.5, 0.0000015, 0.0000005)
        return f"datetime.timedelta(days={days}, seconds={seconds}, minutes={self._of(90)})"

    # -- kinds --------------------------------------------------------------------------------------------------------

    def rounding(self) -> str:
        cents = self.random.randint(0, 999) / 100 + 0.005
        digits = self.random.randint(-4, 6)
        return self.any_of(
            f"round({cents!r}, 2)", f"round({self.number()}, {digits})", f"round({self.number()})", "round(1.15, 1)"
        )

    def arithmetic(self) -> str:
        operator = self.any_of("+", "-", "*", "/", "//", "%", "<", "<=", "==")
        two = f"{self.number()}, {self.number()}"
        return self.any_of(
            f"{self.number()} {operator} {self.number()}",
            f"{self.number()} ** {self.random.randint(-3, 9)}",
            f"divmod({two})",
            f"math.isclose({two})",
            f"{self.any_of('int', 'bool', 'abs', 'math.floor', 'math.ceil', 'math.sqrt', 'str')}({self.number()})",
            f"{self.whole()} {self.any_of('&', '|', '^', '<<', '>>')} {self.random.randint(0, 70)}",
        )

    def parsing(self) -> str:
        return self.any_of(
            f"int({self.word()})", f"float({self.word()})", f"int({self.word()}, {self.any_of(2, 8, 16, 0, 36)})"
        )

    def formatting(self) -> str:
        value = self.any_of(self.number(), self.word())
        percent = f"%{self.any_of('', '-', '+', '0', ' ')}{self.any_of('', '5')}{self.any_of('', '.1')}"
        return self.any_of(
            f"format({value}, {self.spec()!r})",
            f"{percent + self.any_of(*'dfsregxo')!r} % ({value},)",
            f"{self.any_of('{}', '{0}{0}', '{:>8}', '{a}', '{!r}', '{:.2f}', '{:,}', '{:{a}}')!r}.format({value}, a=5)",
        )

    def summing(self) -> str:
        cents = [self.random.randint(0, 9999) / 100 for _ in range(self._of(30))]
        return self.any_of(
            f"sum({self.items()})", f"sum({cents})", f"math.fsum({cents})", f"sum([0.1] * {self._of(30)})"
        )

    def sorting(self) -> str:
        options = self.any_of("", ", reverse=True", ", key=lambda x: str(x).lower()", ", key=len", ", key=str")
        function = self.any_of("sorted", "min", "max") if "reverse" not in options else "sorted"
        return self.any_of(
            f"{function}({self.items()}{options})",
            f"sorted({self.items()}, key=lambda x: x[0], reverse=True)",
            f"list(itertools.accumulate({self.items()}))",
            f"collections.Counter({self.items()}).most_common()",
            f"{self.items()} < {self.items()}",
        )

    def json(self) -> str:
        dumps = f"json.dumps({self.data()}{self.random.choice(DUMPED)})"
        return self.any_of(dumps, f"json.loads({self.random.choice(LOADED)!r})")

    def strings(self) -> str:
        cut = f"{self.random.randint(-3, 3)}:{self.random.randint(-3, 5)}:{self.any_of(1, 2, -1)}"
        return self.any_of(
            f"{self.word()}.{self.random.choice(METHODS)}",
            f"{self.word()}[{cut}]",
            f"{self.word()} < {self.word()}",
            f"repr({self.data()})",
        )

    def strptime(self) -> str:
        form = self.random.choice(FORMATS)
        written = eval(self.moment()).strftime(self.random.choice([form, form, form, *FORMATS[:2]]))
        return f"datetime.datetime.strptime({written + self.any_of('', '', '', ' ', 'x')!r}, {form!r})"

    def dates(self) -> str:
        method = self.any_of("isoformat()", "weekday()", "isocalendar()[:]", "toordinal()", "ctime()", "isoweekday()")
        week = f"{self.random.randint(1990, 2050)}, {self._of(53)}, {self._of(7)}"
        return self.any_of(
            f"{self.any_of(self.day(), self.moment())}.{method}",
            f"{self.moment()}.strftime({self.random.choice(FORMATS)!r})",
            f"{self.moment()} - {self.moment()}",
            f"{self.moment()} + {self.span()}",
            f"str({self.span()})",
            f"{self.span()} // {self.span()}",
            f"{self.moment()} < {self.any_of(self.moment(), self.day())}",
            f"datetime.datetime.fromtimestamp({self.random.uniform(0, 2e9)!r}, datetime.timezone.utc)",
            f"tuple({self.moment()}.timetuple())",
            f"datetime.date.fromordinal({self._of(3652059)})",
            f"datetime.date.fromisocalendar({week})",
            f"datetime.datetime.fromisoformat({self.random.choice(ISO)!r})",
            f"{self.moment()}.replace(month={self._of(13)})",
        )


KINDS = (
    *("rounding", "arithmetic", "parsing", "formatting", "summing", "sorting", "json", "strings", "strptime", "dates"),
)
TRIED = """\
def tried(made):
    try:
        return repr(made())
    except (ValueError, json.JSONDecodeError):
        return "ValueError"
    except Exception as error:
        return type(error).__name__
"""
NAMES = {
    "datetime": datetime,
    "json": json,
    "math": math,
    "collections": collections,
    "itertools": itertools,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [1, 2])
def test_expressions_have_cpythons_value_or_kind_of_error(kind: str, seed: int) -> None:
    made = Expressions(seed)
    expressions = [getattr(made, kind)() for _ in range(EACH)]
    here = final_of(f"{TRIED}Final = [\n" + "".join(f"    tried(lambda: {e}),\n" for e in expressions) + "]")
    own: dict[str, Any] = dict(NAMES)
    exec(TRIED, own)
    there = [own["tried"](eval(f"lambda: {e}", own)) for e in expressions]
    assert [pair for pair in zip(expressions, there, here, strict=True) if pair[1] != pair[2]] == []


def test_loop_over_formats_of_dates_drops_no_row() -> None:
    ran = run(
        "from datetime import datetime\nformats = ['%Y-%m-%d', '%d %B %Y', '%B %Y', '%Y', '%b %d, %Y']\n"
        "def when(text):\n    for form in formats:\n        try:\n            return datetime.strptime(text, form)\n"
        "        except ValueError:\n            pass\n"
        "rows = ['2024-03-01', '2 May 2023', 'January 2024', '1999', 'Feb 3, 2022', 'never']",
        "Final = [str(when(row))[:10] for row in rows]",
    )
    assert ran.answer == ["2024-03-01", "2023-05-02", "2024-01-01", "1999-01-01", "2022-02-03", "None"]


@pytest.mark.parametrize(
    "sort", ["rows.sort(key=K)", "rows = sorted(rows, key=K)", "rows = [*map(K, rows)]\nrows.sort()"]
)
def test_dates_are_read_where_a_builtin_calls_the_code(sort: str) -> None:
    sort = sort.replace("K", "lambda row: datetime.strptime(row, '%d.%m.%Y')")
    assert final_of(f"rows = ['2.1.2024', '1.2.2023']\n{sort}\nFinal = str(rows[0])")[-4:] in ("2023", "0:00")


def test_objects_of_the_code_have_methods_named_like_those_of_dates() -> None:
    code = "class Clock:\n    def today(self, more=0):\n        return 5 + more\nFinal = Clock().today(more=2)"
    assert final_of(code) == 7
