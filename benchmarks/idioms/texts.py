"""The texts that the idioms go over: the same for everyone, but for the source code, which is that of this Python."""

from __future__ import annotations

import json
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from random import Random

START = datetime(2024, 3, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Text:
    """A text of any length."""

    name: str
    pieces: Callable[[Random], Iterator[str]]

    @cache  # noqa: B019 - there are eight, and they are asked for again and again
    def of(self, size: int) -> str:
        """It, until it has `size` characters; then comes the end of a record."""
        pieces, length = [], 0
        for piece in self.pieces(Random(self.name)):
            pieces.append(piece)
            length += len(piece)
            if length >= size:
                break
        return "".join(pieces)


def logs(random: Random) -> Iterator[str]:
    users = [f"user{n}" for n in range(60)]
    services = ["auth-service", "payment-service", "search", "inventory", "mailer"]
    paths = ["/api/v1/login", "/api/v1/orders", "/api/v1/orders?limit=50&page=2", "/health", "/api/v1/search?q=shoes"]
    said = {
        "INFO": ["ok", "cache hit for key 7f3a9b2c11", "rows=118 took 0.42 s"],
        "WARN": ["retry 2 of 5", "slow query on shard 3", "token expires in 30 s"],
        "ERROR": ["Timeout calling bank-gateway after 3000 ms", "connection reset by 10.0.4.2", "disk 91.5 % full"],
    }
    when, number = START, 0
    while True:
        number += 1
        when += timedelta(milliseconds=random.randrange(20_000))
        level = random.choices(["INFO", "WARN", "ERROR"], [80, 13, 7])[0]
        status = {"INFO": [200, 200, 201, 304], "WARN": [404, 429], "ERROR": [500, 503]}[level]
        address = f"10.{random.randrange(4)}.{random.randrange(20)}.{random.randrange(1, 255)}"
        yield (
            f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03}Z {level:<5} [{random.choice(services)}] "
            f"(req-{number:06x}) user={random.choice(users)} ip={address} {random.choice(['GET', 'GET', 'POST'])} "
            f"{random.choice(paths)} {random.choice(status)} {int(random.expovariate(1 / 180)) + 3}ms "
            f'"{random.choice(said[level])}"\n'
        )
        if level == "ERROR" and random.random() < 0.3:
            yield from (
                "Traceback (most recent call last):\n",
                f'  File "/srv/app/{random.choice(["orders", "payments", "users"])}.py", line {random.randrange(400)}'
                f", in {random.choice(['charge', 'load', 'commit'])}\n    response = gateway.post(url, timeout=3)\n",
                random.choice(["TimeoutError: no answer within 3.0 s\n", "KeyError: 'account'\n", "ValueError: -1\n"]),
            )


def events(random: Random) -> Iterator[str]:
    names = ["Zoë", "Anna", "Ana", "Jürgen", "Mei", "Tom", "Thom", "Olu", "José", "Ivan", "Iwan", "Kim", "Noah", "Nora"]
    kinds = ["order.created", "order.paid", "order.shipped", "order.cancelled", "page.viewed"]
    for number in range(1, 10**9):
        user = random.randrange(300)
        zone = random.choice(["+00:00", "+02:00", "-05:00"])
        items = [
            {"sku": f"A-{random.randrange(40)}", "price": round(random.uniform(2, 400), 2), "qty": random.randint(1, 4)}
            for _ in range(random.randint(1, 3))
        ]
        event = {
            "id": number,
            "ts": f"{START + timedelta(minutes=17 * number):%Y-%m-%dT%H:%M:%S}{zone}",
            "type": random.choices(kinds, [5, 4, 3, 1, 4])[0],
            "user": {"id": user, "name": names[user % 14], "country": random.choice(["DE", "FR", "US", "JP"])},
            "items": items,
            "tags": random.sample(["new", "gift", "sale", "b2b", "return"], random.randrange(4)),
            "note": random.choice([None, None, None, "please ring", "arrived broken", "call me, “now”", "thanks!"]),
            "is_test": random.random() < 0.1,
        }
        line = json.dumps(event, ensure_ascii=False)
        yield f"{line[:-9] if random.random() < 0.004 else line}\n"


def issues(random: Random) -> Iterator[str]:
    people = ["alice", "bob-k", "carol", "dmitri", "eve", "farid", "grace", "heinz"]
    verbs = ["Crash when saving", "Wrong encoding after reading", "Slow start with", "Docs are missing for"]
    things = ["large unicode file", "empty folder", "symbolic links", "Windows paths", "read-only disk", "an old cache"]
    remarks = [
        "I can confirm this on v{}.{}.{} – it began after the last update.",
        "Call `load(path, strict=True)` and it raises `KeyError`.",
        "See https://docs.example.org/guide?page={} and http://forum.example.com/t/{}/{} for more.",
        "This looks related to #{}, which was about `save()`.",
        "Naïve question: does it crash without the plug-in? 🤔",
        "> it worked in v{}.{}.{}\nNo, it never did.",
    ]
    for number in range(1, 10**9):
        opened = date(2022, 1, 1) + timedelta(days=number // 4)
        closed = opened + timedelta(days=random.randrange(400)) if random.random() < 0.7 else None
        labels = random.sample(["bug", "docs", "io", "needs-triage", "performance", "ui"], random.randrange(4))
        yield (
            f"### Issue #{number}: {random.choice(verbs)} {random.choice(things)}\n"
            f"State: {'closed' if closed else 'open'}\nAuthor: @{random.choice(people)}\nLabels: {', '.join(labels)}\n"
            f"Created: {opened}\nClosed: {closed or '-'}\nComments: {(n := random.randrange(6))}\n\n"
        )
        for place in range(n + 1):
            if place:
                yield f"@{random.choice(people)} commented on {opened + timedelta(days=place * 3)}:\n"
            for remark in random.sample(remarks, 2):
                yield remark.format(random.randint(1, 3), random.randrange(12), random.randrange(20)) + "\n"
        if number > 9 and random.random() < 0.2:
            yield f"Closing as duplicate of #{random.randrange(1, number)}.\n"
        yield "\n---\n"


def code(random: Random) -> Iterator[str]:
    library = Path(sysconfig.get_path("stdlib"))
    rooms = ("json", "email", "logging", "html", "concurrent", ".")
    files = [file for room in rooms for file in sorted(library.joinpath(room).glob("*.py"))]
    while True:
        for file in files:
            if (data := file.read_bytes()).isascii() and len(data) > 200:
                yield f"===== {file.relative_to(library)} =====\n{data.decode()}\n"


def contracts(random: Random) -> Iterator[str]:
    providers = ["Müller & Söhne GmbH", "Acme Corp.", "Société Générale d’Études", "Northwind Ltd.", "Łódź Systems"]
    clients = ["Contoso Inc.", "Škoda Works", "Umbrella Corp.", "Globex Ltd.", "Initech"]
    laws = ["Germany", "the Netherlands", "England and Wales", "New York", "France"]
    notices = ["three (3) months", "30 days", "six months", "2 weeks", "one month"]
    for number in range(1, 10**9):
        begun = date(2018, 1, 1) + timedelta(days=random.randrange(2400))
        ended = begun + timedelta(days=random.randrange(200, 1600))
        shown = [f"{begun.day} {begun:%B %Y}", f"{begun:%B} {begun.day}, {begun.year}", begun.isoformat()]
        shown += [f"{begun:%d.%m.%Y}", "on signature"]
        fee, cap = random.randrange(900, 48_000), random.randrange(10, 200) * 5_000
        yield (
            f"CONTRACT NO. {begun.year}-{number:04}\nSERVICE AGREEMENT\n\n"
            f'between {random.choice(providers)} ("Provider") and {random.choice(clients)} ("Client")\n'
            f"dated {random.choice(shown)}\n\n§ 1 Scope\n"
            f"1.1 The Provider shall {random.choice(['maintain', 'operate', 'host'])} the “System” for the Client, "
            f"with an availability of {random.choice(['99.5', '99.9', '98'])} % in each calendar month.\n"
            f"1.2 The Provider may use subcontractors, e.g. for hosting. It must name them.\n\n§ 2 Fees\n"
            f"2.1 The Client shall pay EUR {fee:,}.00 per month, within thirty (30) days.\n"
            f"2.2 Late payments bear interest of {random.choice(['5', '8', '9.25'])}% a year; a set-up fee of EUR "
            f"{random.randrange(1, 9) * 500:,}.50 is due once.\n\n§ 6 Liability\n"
            f"6.1 The liability of the Provider is limited to EUR {cap:,}.00 – “per event”.\n\n§ 7 Term\n"
            f"7.1 This contract is effective from {begun.day} {begun:%B %Y} and ends on {ended.day} {ended:%B %Y}. It "
            f"renews by itself unless one party gives notice of {random.choice(notices)}.\n\n§ 9 Law\n"
            f"9.1 This contract is governed by the laws of {random.choice(laws)}. The Client must not assign it. "
            f"{random.choice(['Disputes go to arbitration.', 'The courts of the Provider’s seat decide.'])}\n\n"
        )


def tables(random: Random) -> Iterator[str]:
    notes = ["", "", "", "urgent", "fragile, keep dry", 'called "twice"', "two lines:\nsecond", "Größe L; gift"]
    yield "order_id,date,customer,country,product,quantity,unit_price,discount,notes\n"
    for number in range(1, 10**9):
        day = date(2023, 1, 1) + timedelta(days=random.randrange(500))
        note = random.choice(notes)
        if any(sign in note for sign in ',"\n'):
            note = '"' + note.replace('"', '""') + '"'
        yield (
            f"{number},{day:%d/%m/%Y},Customer {random.randrange(400):03},"
            f"{random.choice(['DE', 'FR', 'US', 'JP', 'BR'])},"
            f"{random.choice(['widget', 'gadget', 'gizmo', 'doohickey'])},{random.randint(1, 40)},"
            f"{random.lognormvariate(3, 1):.2f},{random.choice(['', '5%', '10 %', '(2.5)', 'n/a'])},{note}\n"
        )


def mails(random: Random) -> Iterator[str]:
    people = ["Alice Ångström <alice@example.com>", '"Bob K. Lee" <bob@example.org>', "dana@example.com"]
    people += ["=?utf-8?q?J=C3=B6rg_M=C3=BCller?= <joerg@example.de>", "Chloé Dubois <chloe@example.net>"]
    subjects = ["Quarterly budget", "Server move", "Lunch on Friday", "Contract draft"]
    bodies = [
        "Hi,\n\nlet us meet on Monday at 10:30 about the budget. My number is +49 30 901820.\n",
        "The review is postponed: review on Thursday at 2 pm. It costs $1,250.00 or € 1,100.\n",
        "Thanks for the naïve – but useful – summary. I call on Friday at 9am, +1 (555) 010-4477.\n",
        "The offer of $980.50 stands. Is it that the budget is spent?\n",
    ]
    sent: list[str] = []
    for number in range(10**9):
        when = START + timedelta(hours=7 * number, minutes=random.randrange(300))
        author, to = random.choice(people), ", ".join(random.sample(people, random.randint(1, 2)))
        answered = random.choice(sent[-30:]) if sent and random.random() < 0.6 else None
        subject = ("Re: " if answered else "") + random.choice(subjects)
        yield (
            f"From sender@example.com {when:%a %b %d %H:%M:%S %Y}\nFrom: {author}\nTo: {to}\nSubject: {subject}\n"
            f"Date: {format_datetime(when)}\nMessage-ID: <{number:05}@example.com>\n"
            + (f"In-Reply-To: <{answered}@example.com>\n" if answered else "")
            + "Content-Type: text/plain; charset=utf-8\n\n"
            + random.choice(bodies)
            + ("\nOn Monday, Alice wrote:\n> The budget is not final.\n> Please wait.\n" if answered else "")
            + f"\n--\n{author.partition(' <')[0]}\n\n"
        )
        sent.append(f"{number:05}")


def pages(random: Random) -> Iterator[str]:
    words = ["install", "server", "client", "café", "résumé", "option", "value", "network", "password", "token"]
    words += ["folder", "update", "release"]

    def prose(count: int) -> str:
        return " ".join(random.choices(words, k=count))

    for number in range(10**9):
        rows = "".join(
            f"<tr><td>{random.choice(words)} &amp; co</td><td>{random.choice(['red', 'blue', 'green'])}</td>"
            f"<td>{random.uniform(1, 500):.2f}</td></tr>\n"
            for _ in range(random.randint(2, 8))
        )
        links = "".join(
            f'<p class="p{random.randrange(3)}">{prose(12)} <a href="{href}" class="{random.choice(["ref", "nav"])}">'
            f"{prose(2)}</a> &#233;&gt;</p>\n"
            for href in random.sample(
                [f"/guide/{random.randrange(900)}.html", "../api?x=1&amp;y=2", f"https://example.com/{number}", "#top"],
                3,
            )
        )
        yield (
            f"<!-- page: guide/{number}.html -->\n<html><head><title>Page {number} &amp; more</title>\n"
            f"<style>p {{ color: red }}</style></head>\n<body><h1>{prose(2)}</h1>\n<h2>{prose(3)}</h2>\n{links}"
            f"<ul>{''.join(f'<li>{prose(4)}</li>' for _ in range(random.randint(1, 5)))}</ul>\n<br/>\n"
            f'<table id="t{number}"><tr><th>Name</th><th>Colour</th><th>Price</th></tr>\n{rows}</table>\n'
            "<script>var a = 1;</script></body></html>\n"
        )


TEXTS = {
    pieces.__name__: Text(pieces.__name__, pieces)
    for pieces in (code, contracts, events, issues, logs, mails, pages, tables)
}
