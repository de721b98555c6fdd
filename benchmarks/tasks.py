"""Questions with one exact answer each, for judging a model by (`make eval-local`): here those over generated texts.

There are two families of twelve. Prompts may be tuned on the first; the second shares no line format, field name or
question with it, so it shows what the tuning is worth elsewhere. The same seed gives the same tasks on every machine.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal

from langgraph_rlm import Context

GeneratedKind = Literal["needle", "count", "group_by", "distinct", "two_hop"]
CodeKind = Literal[
    "class",
    "function",
    "imports",
    "default",
    "constant",
    "base",
    "raises",
    "returns",
    "error",
    "largest",
    "count",
    "docstring",
]
Row = dict[str, str | int]

SIZES = {"60k": 60_000, "1m": 1_000_000}  # characters of context


@dataclass(frozen=True)
class Task:
    """One question over one context. Of a tuple all is expected; `rivals` are other values an answer could name."""

    name: str
    kind: GeneratedKind | CodeKind
    question: str
    context: str | list[str] | Context
    expected: int | str | tuple[str, ...]
    rivals: frozenset[str] = frozenset()

    @property
    def size(self) -> int:
        """Characters of context."""
        return sum(map(len, self.context)) if isinstance(self.context, list) else len(self.context)

    def accepts(self, answer: object) -> bool:
        """Whether `answer` is right: the value, or a short sentence that names it and no other value.

        Case does not matter, nor do numbers and values that the question itself has. A file may stand in a path, and
        go without its `.py` where the answer names none with it.
        """
        said = " ".join(str(answer).split()).casefold()
        if len(said) > 160:  # a dump of the text around the answer is no answer
            return False
        if isinstance(self.expected, int):
            numbers = _numbers(said)
            return self.expected in numbers and numbers <= {self.expected} | _numbers(self.question.casefold())
        right = {self.expected} if isinstance(self.expected, str) else {*self.expected}
        values = right | {rival for rival in self.rivals if not _names(self.question.casefold(), rival)}
        ending = "" if ".py" in said else ".py"
        named = {value for value in values if _names(said, value.removesuffix(ending))}
        return named == right


def tuning_tasks(seed: int = 0) -> list[Task]:
    """The twelve tasks that prompts may be tuned on."""
    return [build(Random(f"tuning {seed} {number}")) for number, build in enumerate(_tuning())]


def held_out_tasks(seed: int = 0) -> list[Task]:
    """The twelve tasks to measure with, never to tune on."""
    return [build(Random(f"held-out {seed} {number}")) for number, build in enumerate(_held_out())]


# What a text is made of


@dataclass(frozen=True)
class Format:
    """How records are written: `row(rng, i)` makes the values of record `i`, `template` turns them into text."""

    template: str
    row: Callable[[Random, int], Row]
    header: str = ""
    separator: str = "\n"
    documents: bool = False  # each record a document of its own

    def rows(self, rng: Random, size: int, template: str | None = None) -> list[Row]:
        """As many records as make a text of `size` characters."""
        rows: list[Row] = []
        length = len(self.header)
        while length < size:
            rows.append(self.row(rng, len(rows)))
            length += len((template or self.template).format(**rows[-1])) + len(self.separator)
        return rows

    def context(self, records: list[str]) -> str | list[str]:
        return records if self.documents else self.header + self.separator.join(records)


Builder = Callable[[Random], Task]


def _matching(rows: list[Row], where: dict[str, str | int]) -> Iterator[Row]:
    return (row for row in rows if where.items() <= row.items())


def _needle(size: str, form: Format, question: str, key: str, **odd: str | int) -> Builder:
    """One record differs from all others by the values `odd`; the question asks for its `key`."""

    def build(rng: Random) -> Task:
        rows = form.rows(rng, SIZES[size])
        needle = rng.choice(rows)
        needle.update(odd)
        context = form.context([form.template.format(**row) for row in rows])
        return Task(f"needle-{size}", "needle", question, context, needle[key], _values(rows, key))

    return build


def _count(size: str, form: Format, question: str, **where: str | int) -> Builder:
    """How many records have the values `where`."""

    def build(rng: Random) -> Task:
        rows = form.rows(rng, SIZES[size])
        context = form.context([form.template.format(**row) for row in rows])
        return Task(f"count-{size}", "count", question, context, sum(1 for _ in _matching(rows, where)))

    return build


def _most(size: str, form: Format, question: str, key: str, **where: str | int) -> Builder:
    """Which value of `key` has the most records with the values `where`; drawn again until there is one winner."""

    def build(rng: Random) -> Task:
        while True:
            rows = form.rows(rng, SIZES[size])
            (first, votes), (_, next_votes) = Counter(row[key] for row in _matching(rows, where)).most_common(2)
            if votes > next_votes:
                break
        context = form.context([form.template.format(**row) for row in rows])
        return Task(f"most-{size}", "group_by", question, context, first, _values(rows, key))

    return build


def _total(size: str, form: Format, question: str, key: str, **where: str | int) -> Builder:
    """The sum of `key` over the records with the values `where`."""

    def build(rng: Random) -> Task:
        rows = form.rows(rng, SIZES[size])
        context = form.context([form.template.format(**row) for row in rows])
        expected = sum(int(row[key]) for row in _matching(rows, where))
        return Task(f"total-{size}", "group_by", question, context, expected)

    return build


def _distinct(size: str, form: Format, question: str, key: str, **where: str | int) -> Builder:
    """How many different values of `key` there are among the records with the values `where`."""

    def build(rng: Random) -> Task:
        rows = form.rows(rng, SIZES[size])
        context = form.context([form.template.format(**row) for row in rows])
        return Task(f"distinct-{size}", "distinct", question, context, len(_values(list(_matching(rows, where)), key)))

    return build


def _two_hop(size: str, form: Format, second: str, question: str, key: str) -> Builder:
    """Each record is written as two that share an id; the question's `{name}` is in one, `key` in the other."""

    def build(rng: Random) -> Task:
        rows = form.rows(rng, SIZES[size], form.template + form.separator + second)
        records = [template.format(**row) for template in (form.template, second) for row in rows]
        rng.shuffle(records)
        asked = rng.choice(rows)
        context = form.context(records)
        return Task(f"two-hop-{size}", "two_hop", question.format(**asked), context, asked[key], _values(rows, key))

    return build


def _values(rows: list[Row], key: str) -> frozenset[str]:
    return frozenset(str(row[key]) for row in rows)


def _names(text: str, value: str) -> bool:
    value = value.casefold()
    return value in text and re.search(rf"(?<![\w-]){re.escape(value)}(?![\w-])", text) is not None


def _numbers(text: str) -> set[float]:
    return {float(number.replace(",", "")) for number in re.findall(r"(?<![\w.-])\d[\d,]*(?:\.\d+)?(?!\w)", text)}


def _scattered(i: int) -> int:
    """A five-digit number that is different for each `i` below 90,000, in no visible order."""
    return 10_000 + i * 7_919 % 90_000


def _clock(days: float) -> str:
    """The time of day after so many days."""
    seconds = int(days % 1 * 86_400)
    return f"{seconds // 3_600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _prose(rng: Random, sentences: str) -> str:
    return " ".join(rng.choices(sentences.splitlines(), k=rng.randint(3, 6)))


# The family to tune on


def _tuning() -> list[Builder]:
    cities = ("Leeds", "Oslo", "Porto", "Turin", "Ghent", "Lyon", "Malmo", "Cork")
    people = _full_names(
        "Vera Tomas Ines Karl Nadia Omar Petra Luis Greta Hugo",
        "A. B. C. D. E. F. G. H. I. K.",
        "Holt Brandt Keller Novak Silva Moreau Tanaka Weber Rossi Duarte",
    )

    log = Format(
        "2031-03-{day:02} {time} level={level} service={service} user={user} ms={ms}",
        lambda rng, i: {
            "day": 1 + i // 600,
            "time": _clock(i / 600),
            "level": rng.choices(("INFO", "WARN", "ERROR"), (80, 14, 6))[0],
            "service": rng.choice(("billing", "search", "login", "mail", "export")),
            "user": f"u{rng.randint(1000, 1900)}",
            "ms": rng.randint(2, 900),
        },
    )
    orders = Format(
        "{order_id},2030-{month:02}-{day:02},c{customer},{city},{amount}",
        lambda rng, i: {
            "order_id": 100_001 + i,
            "month": rng.randint(1, 12),
            "day": rng.randint(1, 28),
            "customer": rng.randint(100, 999),
            "city": rng.choice(cities),
            "amount": rng.randint(5, 400),
        },
        header="order_id,date,customer,city,amount\n",
    )
    tickets = Format(
        '{{"id": {id}, "team": "{team}", "priority": "{priority}", "hours": {hours}}}',
        lambda rng, i: {
            "id": 5_000 + i,
            "team": rng.choice(("network", "storage", "desktop", "database", "security")),
            "priority": rng.choice(("low", "normal", "high")),
            "hours": rng.randint(1, 16),
        },
    )
    parcels = Format(
        "Parcel {id}: {sender} -> {receiver}, {kg} kg, {service}",
        lambda rng, i: {
            "id": _scattered(i),
            "sender": rng.choice(cities),
            "receiver": f"{rng.choice(cities)} {rng.randint(1, 150)}",
            "kg": rng.randint(1, 30),
            "service": rng.choice(("express", "standard", "economy")),
        },
    )
    badges = Format(
        "Name: {name} || Department: {department} || Badge: {badge}",
        lambda rng, i: {
            "name": people[i],
            "department": rng.choice(("Legal", "Finance", "Research", "Sales")),
            "badge": f"B-{_scattered(i)}",
            "locker": f"L-{rng.randint(100, 999)}",
        },
    )
    hosts = Format(
        "[service {name}]\nhost = {host}\nport = {port}",
        lambda rng, i: {
            "name": f"svc-{_scattered(7 * i + 3)}",
            "host": f"host-{_scattered(i)}",
            "port": rng.randint(2_000, 9_000),
            "rack": f"R{rng.randint(10, 99)}",
            "cpus": rng.choice((2, 4, 8, 16)),
        },
        separator="\n\n",
    )
    memos = Format(
        "{before} The access code of the {room} is {code}. {after}",
        lambda rng, i: {
            "before": _prose(rng, _OFFICE),
            "room": f"meeting room on floor {i + 1}",
            "code": f"{rng.randint(100, 999)}-{_scattered(i)}",
            "after": _prose(rng, _OFFICE),
        },
        separator="\n\n",
    )
    return [
        _needle("60k", memos, "What is the access code of the archive?", "code", room="archive"),
        _count("60k", log, "How many log lines have level=ERROR?", level="ERROR"),
        _most("60k", orders, "Which city has the most orders?", "city"),
        _total(
            "60k", tickets, "What is the sum of hours over all tickets of the team network?", "hours", team="network"
        ),
        _distinct("60k", parcels, "How many different addresses (city and number) do parcels go to?", "receiver"),
        _two_hop(
            "60k",
            badges,
            "Badge: {badge} || Locker: {locker}",
            "Which locker is assigned to the badge of {name}?",
            "locker",
        ),
        _needle("1m", log, "Which user is in the only log line with level=FATAL?", "user", level="FATAL"),
        _count("1m", parcels, "How many parcels were sent from Porto as express?", sender="Porto", service="express"),
        _most("1m", tickets, "Which team has the most tickets with priority high?", "team", priority="high"),
        _total("1m", orders, "What is the total amount of all orders from Turin?", "amount", city="Turin"),
        _distinct(
            "1m",
            log,
            "How many different users have a log line with level=ERROR for service=export?",
            "user",
            level="ERROR",
            service="export",
        ),
        _two_hop(
            "1m",
            hosts,
            "[{host}]\nrack = {rack}\ncpus = {cpus}",
            "In which rack is the host of the service {name}?",
            "rack",
        ),
    ]


_OFFICE = """\
The quarterly review was moved to Thursday because two directors are travelling.
Please return borrowed projectors to the second floor before the weekend.
The coffee machine near the stairs has been repaired and works again.
Parking permits for the new garage can be collected at the reception desk.
Minutes of the last meeting were sent to everyone on the list.
The heating will be switched off on Friday afternoon for maintenance.
A visitor from the regional office will join the planning session.
Several invoices are still waiting for a second signature.
The training course on fire safety has three free places left.
Lunch will be served an hour later than usual on Monday."""


# The family to measure with


def _held_out() -> list[Builder]:
    people = _full_names(
        "Marta Anders Yusuf Clara Emil Freya Goran Hanna Ivan Jonas Katya Lars Mira Nils Olga Pavel",
        "Abel Bo Cleo Dag Eve Finn Gil",
        "Lind Aydin Berg Costa Dahl Egger Falk Grau Hansen Ito Jansen Kovac Lopez Mayer Nagy Oberg Pires",
    )
    architects = _full_names("Ada Ben Dora Ezra Fay Gus", "Quist Rask Stahl Tove Ulrich Vik")
    depots = ["Harbour", "Hillside", "Airport", "Castle", "Meadow", "Quarry", "Bridge", "Market", "Chapel", "Garden"]

    access = Format(
        '{ip} - - [{day:02}/May/2031:{time} +0000] "{verb} {path} HTTP/1.1" {status} {bytes}',
        lambda rng, i: {
            "ip": f"10.0.{rng.randint(0, 3)}.{rng.randint(1, 250)}",
            "day": 1 + i // 500,
            "time": _clock(i / 500),
            "verb": rng.choice(("GET", "GET", "POST")),
            "path": rng.choice(("/home", "/cart", "/checkout", "/help", "/account", "/news")),
            "status": rng.choices((200, 301, 404, 500), (80, 8, 8, 4))[0],
            "bytes": rng.randint(1_000, 90_000),
        },
    )
    chat = Format(
        "<{nick}> {message}",
        lambda rng, i: {
            "nick": rng.choice(("mole", "kestrel", "otter", "badger", "lynx", "heron")),
            "message": rng.choice(_CHAT.splitlines()),
        },
    )
    parts = Format(
        '  <part sku="{sku}" bin="{bin}" qty="{qty}"/>',
        lambda rng, i: {
            "sku": f"AX{_scattered(i)}",
            "bin": f"{rng.choice('CDEF')}{rng.randint(10, 19)}",
            "qty": rng.randint(1, 60),
        },
        header="<stock>\n",
    )
    books = Format(
        "- title: {title}\n  author: {author}\n  shelf: {shelf}\n  pages: {pages}",
        lambda rng, i: {
            "title": f"{rng.choice(('Winter', 'Silent', 'Hidden', 'Last'))} {rng.choice(('Harbor', 'Garden', 'Road'))}",
            "author": rng.choice(people[:900]),
            "shelf": rng.choice(("North", "South", "East", "West", "Cellar", "Attic", "Gallery")),
            "pages": rng.randint(80, 900),
        },
        header="books:\n",
    )
    jobs = Format(
        "May {day:2} {time} node{node} ({component}): job {job} {verdict} after {seconds} s",
        lambda rng, i: {
            "day": 1 + i // 700,
            "time": _clock(i / 700),
            "node": rng.randint(1, 9),
            "component": rng.choice(("indexer", "scheduler", "archiver", "mailer")),
            "job": f"J{_scattered(i)}",
            "verdict": rng.choice(("finished", "paused")),
            "seconds": rng.randint(1, 500),
        },
    )
    weather = Format(
        "{station};{day};{wind};{rain}",
        lambda rng, i: {
            "station": rng.choice(("Alta", "Bodo", "Roros", "Voss", "Tynset")),
            "day": f"{rng.randint(1, 28):02}.{rng.randint(1, 12):02}.{rng.randint(1990, 2029)}",
            "wind": rng.choice(("N", "NE", "E", "SE", "S", "SW", "W", "NW")),
            "rain": rng.choice((0, 0, rng.randint(1, 40))),
        },
        header="station;day;wind;rain_mm\n",
    )
    drivers = Format(
        "| {name} | tram {tram} |",
        lambda rng, i: {
            "name": people[i],
            "tram": _scattered(i),
            "depot": rng.choice(depots),
        },
    )
    letters = Format(
        "Dear {name}, {before} The combination of the {lock} is {digits}. {after} Yours truly, {author}",
        lambda rng, i: {
            "name": rng.choice(people),
            "before": _prose(rng, _COUNTRY),
            "lock": f"suitcase number {i + 1}",
            "digits": f"{rng.randint(10, 99)}/{rng.randint(10, 99)}/{rng.randint(10, 99)}",
            "after": _prose(rng, _COUNTRY),
            "author": rng.choice(people),
        },
        documents=True,
    )
    houses = Format(
        "{before} In the end it was {name} who bought house {house}. {after}",
        lambda rng, i: {
            "before": _prose(rng, _COUNTRY),
            "name": people[i],
            "house": _scattered(i),
            "architect": rng.choice(architects),
            "after": _prose(rng, _COUNTRY),
        },
        separator="\n\n",
    )
    return [
        _needle("60k", letters, "What is the combination of the boathouse lock?", "digits", lock="boathouse lock"),
        _count("60k", access, "How many requests were answered with status 404?", status=404),
        _most("60k", chat, "Who wrote the most messages in this chat?", "nick"),
        _total("60k", parts, "What is the sum of qty over all parts in bin D14?", "qty", bin="D14"),
        _distinct("60k", books, "How many different authors are in this catalogue?", "author"),
        _two_hop(
            "60k",
            drivers,
            "| tram {tram} | {depot} depot |",
            "At which depot is the tram that {name} drives?",
            "depot",
        ),
        _needle("1m", jobs, "Which job crashed?", "job", verdict="crashed"),
        _count("1m", weather, "On how many lines is the wind NW and rain_mm 0?", wind="NW", rain=0),
        _most("1m", books, "Which shelf has the most books?", "shelf"),
        _total(
            "1m", jobs, "How many seconds did all jobs of the indexer take in total?", "seconds", component="indexer"
        ),
        _distinct(
            "1m", access, "How many different IP addresses sent a request for /checkout?", "ip", path="/checkout"
        ),
        _two_hop(
            "1m",
            houses,
            "{after} As for house {house}, the architect was {architect}. {before}",
            "Who was the architect of the house that {name} bought?",
            "architect",
        ),
    ]


_CHAT = """\
has anyone seen my umbrella
back in five minutes
that was a long walk in the rain
the soup was too salty today
who is bringing the cards tonight
good morning from the train
no idea, ask the neighbours
see you all at eight"""

_COUNTRY = """\
The apple trees along the lane are already in blossom this year.
We walked to the lighthouse and back before the storm came in.
My sister has taken up painting and hangs her work in the hall.
The old ferry runs only twice a day now that summer is over.
A fox has been seen near the henhouse three nights in a row.
Your parcel of books arrived safely, and the children read them aloud.
The baker in the village has retired and nobody has taken his place.
There is a great deal of mud on the path behind the mill.
The choir sang in the square until it was quite dark."""


def _full_names(*parts: str) -> list[str]:
    """Every name made of one word of each part."""
    names = [""]
    for part in parts:
        names = [f"{name} {word}".strip() for word in part.split() for name in names]
    return names
