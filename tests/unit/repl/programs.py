"""Programs that are made at random, the same for each seed: a grammar of the Python that models write.

A rule is a text with holes: `<int>` is filled by a rule of `int`, or by a variable of that kind; `<int ?x:int>` may use
the variable that the rule names `?x` besides; `<block>` is filled by statements. After `new`, a statement names what
is defined once it has run. Some holes get something of another kind, since errors are to be the same too.

Left out, since no rule of the language tells what they give: the order of sets, addresses, messages of errors, `%Y` of
years before 1000, which has four digits on some systems and here. Left out, since they are otherwise here, as
`docs/sandbox.md` says: variables after `del`, format specifications of what is no number, text or date, arguments of
exceptions that are no texts, keys that are equal and of two types, methods that are not there of arguments that fail,
what stands in a list after `isdisjoint` knows, what `finally` does in generators that are left early.
"""

from __future__ import annotations

import ast
import re
from random import Random

HOLE = re.compile(r"<([a-z]+)((?: \w+:\w+)*)>")
BLOCK = re.compile(r"( *)<(block|loop|body|yields)((?: \w+:\w+)*)>")
WRONG = 0.02
"""Share of the holes that get something of another kind."""
MOST_DEEP = 3
"""Rules in rules of an expression, blocks in blocks."""
BEFORE = """\
import collections, copy, enum, functools, heapq, itertools, json, math, operator, re, string, typing
import datetime
from collections import Counter, defaultdict, deque, namedtuple
from dataclasses import dataclass, field
out = []
def note(value):
    out.append(repr(value))
def failed(error):
    out.append(["error", type(error).__name__, str(error)])
"""
AFTER = "Final = out\n"

PLAIN = {
    "int": "0 1 2 3 7 10 -1 -5 100 255 12345678901234567890 -(2**70) 10**18 True",
    "small": "0 1 2 3 4 5 -1 -2 -3",
    "count": "0 1 2 3",
    "float": "0.0 1.5 -2.25 0.1 2.675 1e-7 1e16 1e22 3.14159 100.0 -0.0 1/3 1e300",
    "bool": "True False",
    "str": (
        "'' 'a' 'abc' 'Hello World' 'a,b,,c' '  pad ' 'x=1;y=2' 'Zoë' 'ß' '12' '3.5' 'the cat the hat' 'A-1 b-22' "
        "'日本'"
    ),
    "letter": "'a' ' ' ',' 'the' '-' '=' 'b' ''",
    "key": "'a' 'b' 'c' 'zz'",
    "ints": "[] [1] [3,1,2] [5,-1,0,5] [2,2,2] [10,9,8,7,6]",
    "floats": "[] [0.1,0.2,0.3] [2.5,-1.0] [1e16,1.0,-1e16]",
    "strs": "[] ['b','a'] ['x','','yy','x'] ['Ann','bob','Cy'] ['10','9','1']",
    "dict": "{} {'a':1} {'b':2,'a':1} {'x':0,'y':-3,'z':3}",
    "pairs": "[] [('a',1)] [('b',2),('a',2),('c',1)] [('x',-1),('x',5)]",
    "rows": (
        "[{'k':'a','n':1,'x':1.5},{'k':'b','n':2,'x':0.5},{'k':'a','n':5,'x':-1.0}] "
        "[{'k':'z','n':0,'x':0.0}] [{'k':'b','n':3,'x':2.25},{'k':'b','n':3}]"
    ),
    "set": "set() {1} {1,2,3} {3,5,7}",
    "date": "datetime.date(2024,2,29) datetime.date(1999,12,31) datetime.date(2023,1,1)",
    "moment": (
        "datetime.datetime(2024,2,29,23,59,59) datetime.datetime(2000,1,1) datetime.datetime(2023,6,5,4,3,2,1000)"
    ),
    "span": (
        "datetime.timedelta(1) datetime.timedelta(days=-1,hours=5) datetime.timedelta(minutes=90,seconds=1) "
        "datetime.timedelta(0)"
    ),
    "none": "None",
    "error": "ValueError TypeError KeyError IndexError ZeroDivisionError RuntimeError AttributeError LookupError",
    "spec": "d 5 05d +d , _ x #x b o >8 <8 ^8 *^9 .2f 8.3f .1% e .3g 08.2f +.1f ,.2f s 10s .2s c n",
    "percent": "%d %5d %-5d| %05d %x %s %10s %-10s| %.2f %8.3f %e %g %r %i %+d %% %o %c %.3s %5.1f%%",
    "pattern": (
        r"r'(\w+)' r'\d+' r'(\w)-(\d+)' r'(?P<k>\w)=(?P<v>\d)' r'[aeiou]' r'^\w' r'\s+' r'(a)|(b)' r'(\w+)\s(\w+)' "
        r"r'\b\w' r',' r't(?=h)' r'(?i)[A-C]' r'.' r'x*' r'(\w)\1' r'$'"
    ),
    "jsontext": (
        """'{"a":[1,2.5,null,true]}' '[]' '[1,"x",{}]' '{"a":1' '"x"' '1e3' 'nul' '[1,]' '-0.0' """
        """'{"b":{"c":"\\u00e9"}}'"""
    ),
    "isotext": "'2024-02-29' '1999-12-31' '2023-13-01' 'x' '2024-02-30' ''",
    "form": "'%Y-%m-%d' '%d/%m/%y' '%B %d, %Y' '%H:%M' '%j' '%a %b' '%Y%m%d' '%I:%M %p'",
}
"""Literals of each kind, with a blank between (no other blanks but in quotes)."""

RULES = {
    "int": r"""
        <int> + <int>
        <int> - <int>
        <int> * <small>
        <int> // <small>
        <int> % <small>
        -<int>
        ~<int>
        <int> ** <count>
        (<int> & <int>) | (<int> ^ <small>)
        <int> << <count>
        <int> >> <count>
        abs(<int>)
        len(<str>)
        len(<ints>)
        len(<dict>)
        sum(<ints>)
        sum(<ints>, <int>)
        max(<ints>)
        min(<int>, <int>)
        max(<ints>, default=<int>)
        int(<float>)
        int(<str>)
        int(<str>, 16)
        round(<float>)
        math.floor(<float>)
        math.gcd(<int>, <int>)
        math.comb(<count>, <count>)
        math.isqrt(<int>)
        math.prod(map(int, <ints>))
        <ints>[<small>]
        <dict>[<key>]
        <dict>.get(<key>, <int>)
        <dict>.get(<key>, 0) + 1
        <str>.count(<letter>)
        <str>.find(<letter>)
        <str>.index(<letter>)
        <str>.rfind(<letter> or 'e', <small>)
        <ints>.index(<int>)
        <ints>.count(<int>)
        <int> if <bool> else <int>
        ord(<str>)
        ord('x')
        divmod(<int>, <small>)[0]
        divmod(<int>, <int>)[1]
        (<int>).bit_length()
        sum(<int ?x:int> for ?x in <ints>)
        sum(1 for ?x in <strs> if <bool ?x:str>)
        next((?x for ?x in <ints> if <bool ?x:int>), -1)
        next((<int ?x:int> for ?x in <generator>(<count>) if <bool ?x:int>), -1)
        next((<function>(?x) for ?x in <ints>), 0)
        next(<int ?i:int> for ?i in itertools.count(<count>) if ?i > 2)
        sum(<function>(?x) for ?x in <generator>(<count>))
        next(iter(<ints>))
        max(<strs>, key=len) and 1
        functools.reduce(lambda ?a, ?b: <int ?a:int ?b:int>, <ints>, <int>)
        functools.reduce(operator.add, <ints>)
        Counter(<str>)[<letter>]
        Counter(<strs>).most_common(1)[0][1]
        <function>(<int>)
        <function>(<int>, <int>)
        <function>(<int>, b=<int>)
        <function>(*<ints>)
        (lambda ?x, ?y=<int>: <int ?x:int ?y:int>)(<int>)
        <rows>[<small>]['n']
        <object>.n
        <object>.total()
        <object>.total(<count>)
        <object>.double
        len(<object>)
        <date>.year
        <date>.day
        (<date> - <date>).days
        <span>.days
        <span>.seconds
        <moment>.hour
        <date>.weekday()
        int(<bool>)
        <pairs>[0][1]
        hash(<count>)
        len(<set>)
        len(<str>.encode('utf-8'))
        """,
    "float": r"""
        <float> + <float>
        <float> * <float>
        <float> - <int>
        <int> / <int>
        <float> / <float>
        <float> // <float>
        <float> % <float>
        <int> / <small>
        <float> ** <small>
        -<float>
        abs(<float>)
        round(<float>, <small>)
        round(<float> * 1.1, 2)
        sum(<floats>)
        sum(<floats>) / len(<floats>)
        math.sqrt(<float>)
        math.fsum(<floats>)
        math.log(<float>)
        math.log10(<int>)
        math.hypot(<float>, <float>)
        math.pow(<float>, <small>)
        math.fmod(<float>, <float>)
        math.copysign(<float>, <float>)
        float(<str>)
        float(<int>)
        float('inf')
        max(<floats>)
        <floats>[<small>]
        <span>.total_seconds()
        <span> / <span>
        min(<float>, <int>)
        pow(<float>, <small>)
        <rows>[<small>]['x']
        sum(?r.get('x', 0) for ?r in <rows>)
        """,
    "bool": r"""
        <int> < <int>
        <int> == <float>
        <int> <= <int> < <int>
        <str> < <str>
        <str> == <str>
        <letter> in <str>
        <int> in <ints>
        <key> in <dict>
        <key> not in <dict>
        not <any>
        bool(<any>)
        <bool> and <bool>
        <bool> or <bool>
        <ints> < <ints>
        <ints> == <ints>
        <pairs> <= <pairs>
        <any> is None
        isinstance(<any>, (int, str))
        isinstance(<int>, bool)
        isinstance(<any>, list)
        <str>.startswith(<letter>)
        <str>.endswith((<letter>, <letter>))
        <str>.startswith(<letter> or 'e', <small>)
        <str>.isdigit()
        <str>.isalpha()
        <str>.islower()
        <str>.isspace()
        <str>.istitle()
        any(<bool ?x:int> for ?x in <ints>)
        any(<function>(?x) for ?x in <ints>)
        all(<int ?x:int> // ?x for ?x in <generator>(<count>))
        any(any(<int ?x:int ?y:int> for ?y in <generator>(<count>)) for ?x in <ints>)
        all(<bool ?x:str> for ?x in <strs>)
        all(<ints>)
        <set> <= <set>
        <int> in <set>
        <set>.isdisjoint(set(<ints>))
        <date> < <date>
        <moment> == <moment>
        <date> == <moment>
        <span> > <span>
        <object> == <object>
        <object> < <object>
        isinstance(<object>, <class>)
        re.search(<pattern>, <str>) is not None
        bool(re.match(<pattern>, <str>))
        math.isclose(<float>, <float>)
        math.isnan(<float>)
        hasattr(<object>, 'n')
        hasattr(<object>, <key>)
        <str> in <strs>
        <float> == <float>
        """,
    "str": r"""
        <str> + <str>
        <str> * <count>
        <str>[<small>]
        <str>[<small>:<small>]
        <str>[::-1]
        <str>[<small>::2]
        <str>.upper()
        <str>.lower()
        <str>.title()
        <str>.capitalize()
        <str>.swapcase()
        <str>.strip()
        <str>.strip(<letter>)
        <str>.rstrip(<letter>)
        <str>.replace(<letter>, <letter>)
        <str>.replace(<letter>, <letter>, <count>)
        <str>.join(<strs>)
        ', '.join(<strs>)
        <letter>.join(map(str, <ints>))
        ','.join(str(?x) for ?x in <ints> if <bool ?x:int>)
        ''.join(sorted(<str>))
        ''.join(reversed(<str>))
        <str>.zfill(<small>)
        <str>.center(<small>, '*')
        <str>.ljust(6) + '|'
        <str>.rjust(<small>, <letter>)
        <str>.expandtabs()
        <str>.removeprefix(<letter>)
        <str>.removesuffix(<letter>)
        <str>.partition(<letter>)[<small>]
        <str>.split()[<small>]
        <strs>[<small>]
        str(<int>)
        str(<float>)
        str(<any>)
        repr(<any>)
        repr(<str>)
        chr(97 + <count>)
        hex(<int>)
        bin(<small>)
        oct(<int>)
        format(<shown>, '<spec>')
        f'{<bare>}'
        f'{<bare>!r:>8}'
        f'{<bare>=}'
        '{:<spec>}'.format(<shown>)
        '{:{}}|{:>{w}}'.format(<shown>, 5, <shown>, w=<count>)
        '{} {}'.format(<any>, <any>)
        '{0}{1}{0}'.format(<any>, <any>)
        '{a}-{b:>4}'.format(a=<any>, b=<shown>)
        '{a}'.format(**<dict>)
        '{0[0]}'.format(<ints>)
        '{.n}'.format(<object>)
        '<percent>' % <int>
        '<percent>' % <float>
        '<percent>' % (<any>,)
        '%s: %d' % (<any>, <any>)
        '%(a)s' % <dict>
        '%s' % <any>
        '%s %s' % (<any>,)
        '%*d' % (5, <int>)
        json.dumps(<any>)
        json.dumps(<dict>, sort_keys=True)
        json.dumps(<rows>, indent=<count>)
        json.dumps(<str>, ensure_ascii=False)
        json.dumps({'a': <any>, 'b': <any>}, default=str)
        re.sub(<pattern>, <letter>, <str>)
        re.sub(<pattern>, r'[\g<0>]', <str>)
        re.sub(<pattern>, lambda ?m: ?m.group().upper(), <str>)
        re.sub(<pattern>, <letter>, <str>, count=1)
        re.search(<pattern>, <str>).group()
        re.match(<pattern>, <str>).group(1)
        re.escape(<str>)
        <str>.encode('ascii', 'ignore').decode()
        <str>.translate(str.maketrans('abc', 'xyz'))
        <str>.translate({97: None, 98: 'BB'})
        <date>.isoformat()
        str(<moment>)
        str(<span>)
        str(<date>)
        <moment>.strftime(<form>)
        <date>.strftime(<form>)
        <moment>.isoformat(sep=' ')
        <object>.name
        str(<object>)
        repr(<object>)
        f'{str(<bare>):>{3 + 6}}|{<bare>}'
        type(<any>).__name__
        type(<object>).__name__
        <str> if <bool> else <str>
        <str> or <str>
        <str> and <str>
        max(<strs>)
        min(<strs>, key=len)
        max(<dict>, key=<dict>.get)
        list(<dict>)[<small>]
        string.ascii_lowercase[<small>]
        <rows>[<small>]['k']
        <rows>[<small>].get('q', <str>)
        <str>.casefold()
        """,
    "ints": r"""
        [<int>, <int>]
        [<int>, *<ints>]
        <ints> + <ints>
        <ints> * <count>
        <ints>[<small>:]
        <ints>[:<small>]
        <ints>[<small>:<small>:<small>]
        <ints>[::-1]
        sorted(<ints>)
        sorted(<ints>, reverse=True)
        sorted(<ints>, key=lambda ?x: -?x)
        sorted(<ints>, key=lambda ?x: <int ?x:int>)
        sorted(<set>)
        sorted(<dict>.values())
        list(<dict>.values())
        list(range(<small>))
        list(range(<small>, <small>, <small>))
        list(range(5))[<small>:<small>]
        list(map(int, <strs>))
        list(map(len, <strs>))
        list(map(lambda ?x: <int ?x:int>, <ints>))
        list(filter(None, <ints>))
        list(filter(lambda ?x: <bool ?x:int>, <ints>))
        list(reversed(<ints>))
        list(itertools.accumulate(<ints>))
        list(itertools.accumulate(<ints>, max))
        list(itertools.chain(<ints>, <ints>))
        list(itertools.islice(<ints>, <count>))
        list(itertools.takewhile(lambda ?x: ?x > 0, <ints>))
        list(itertools.chain.from_iterable([<ints>, <ints>]))
        [<int ?x:int> for ?x in <ints>]
        [<int ?x:int> for ?x in <ints> if <bool ?x:int>]
        [<int ?x:int ?y:int> for ?x in <ints> for ?y in range(<count>)]
        [?v for ?k, ?v in <pairs>]
        [?v for ?k, ?v in sorted(<dict>.items()) if <bool ?k:str ?v:int>]
        [?i * ?x for ?i, ?x in enumerate(<ints>)]
        [?r['n'] for ?r in <rows>]
        [?a + ?b for ?a, ?b in zip(<ints>, <ints>)]
        [ord(?c) for ?c in <str>]
        list(<generator>(<count>))
        sorted(<generator>(<count>))
        [?x for ?x in <generator>(<count>) if <bool ?x:int>]
        list({?x: 1 for ?x in <ints>})
        list(dict.fromkeys(<ints>))
        [?x for ?r in [<ints>, <ints>] for ?x in ?r]
        list(deque(<ints>, maxlen=2))
        copy.deepcopy(<ints>)
        <ints>.copy()
        json.loads(json.dumps(<ints>))
        list(<date>.timetuple())[:3]
        [<function>(?x) for ?x in <ints>]
        list(map(<function>, <ints>))
        list(bytes(<str>, 'utf-8'))
        """,
    "floats": r"""
        [<float>, <float>]
        [<float ?x:float> for ?x in <floats>]
        sorted(<floats>)
        [?x / 2 for ?x in <ints>]
        [round(?x, <count>) for ?x in <floats>]
        [float(?x) for ?x in <strs>]
        <floats> + <floats>
        """,
    "strs": r"""
        [<str>, <str>]
        <strs> + [<str>]
        <str>.split()
        <str>.split(<letter>)
        <str>.split(<letter>, <small>)
        <str>.rsplit(<letter>, <count>)
        <str>.splitlines()
        list(<str>)
        sorted(<strs>)
        sorted(<strs>, key=len)
        sorted(<strs>, key=str.lower, reverse=True)
        sorted(<strs>, key=lambda ?s: (len(?s), ?s))
        sorted(<strs>, key=lambda ?s: <int ?s:str>)
        sorted(<dict>)
        sorted(<dict>, key=lambda ?k: (-<dict>.get(?k, 0), ?k))
        [<str ?s:str> for ?s in <strs>]
        [?s for ?s in <strs> if <bool ?s:str>]
        [str(?x) for ?x in <ints>]
        list(map(str.upper, <strs>))
        list(map(str, <floats>))
        [?k for ?k, ?v in <pairs>]
        [?k for ?k in <dict> if <bool ?k:str>]
        re.findall(<pattern>, <str>)
        re.split(<pattern>, <str>)
        [?m.group() for ?m in re.finditer(<pattern>, <str>)]
        [?m.group(1) for ?m in re.finditer(<pattern>, <str>)]
        list(<str>.partition(<letter>))
        <strs>[::-1]
        list(dict.fromkeys(<strs>))
        list(filter(None, <strs>))
        [?c for ?w in <strs> for ?c in ?w]
        [f'{?x:03d}' for ?x in <ints>]
        ['%s=%d' % ?p for ?p in <pairs>]
        [?r['k'] for ?r in sorted(<rows>, key=lambda ?q: ?q['n'])]
        sorted({?r['k'] for ?r in <rows>})
        [<str>] * <count>
        """,
    "dict": r"""
        {<key>: <int>, <key>: <int>}
        {**<dict>, <key>: <int>}
        <dict> | <dict>
        dict(<pairs>)
        dict(zip(<strs>, <ints>))
        dict(a=<int>, **{'b': <int>})
        {?s: <int ?s:str> for ?s in <strs>}
        {?k: ?v for ?k, ?v in <pairs> if <bool ?v:int>}
        {?k: <int ?v:int> for ?k, ?v in <dict>.items()}
        dict(sorted(<dict>.items(), key=lambda ?p: (?p[1], ?p[0])))
        dict(Counter(<strs>))
        dict(Counter(<str>).most_common(2))
        dict.fromkeys(<strs>, <int>)
        <dict>.copy()
        json.loads(json.dumps(<dict>))
        {?k: len(list(?g)) for ?k, ?g in itertools.groupby(sorted(<strs>))}
        dict(Counter(<strs>) + Counter(<dict>))
        re.match(<pattern>, <str>).groupdict()
        """,
    "pairs": r"""
        list(<dict>.items())
        sorted(<dict>.items(), key=lambda ?p: ?p[1], reverse=True)
        sorted(<dict>.items(), key=operator.itemgetter(1))
        list(zip(<strs>, <ints>))
        [(?k, <int ?v:int>) for ?k, ?v in <pairs>]
        Counter(<strs>).most_common()
        sorted(<pairs>, key=lambda ?p: (-?p[1], ?p[0]))
        [(?s, len(?s)) for ?s in <strs>]
        [(?s, ?i) for ?i, ?s in enumerate(<strs>, <small>)]
        sorted(<pairs>)
        """,
    "rows": r"""
        sorted(<rows>, key=lambda ?r: ?r['n'])
        sorted(<rows>, key=lambda ?r: (?r['k'], -?r['n']))
        sorted(<rows>, key=operator.itemgetter('k', 'n'))
        [?r for ?r in <rows> if ?r['n'] > <int>]
        [{**?r, 'n': <int>} for ?r in <rows>]
        [dict(k=?k, n=?v, x=0.5) for ?k, ?v in <pairs>]
        json.loads(json.dumps(<rows>))
        """,
    "set": r"""
        set(<ints>)
        <set> | <set>
        <set> & <set>
        <set> - <set>
        <set> ^ <set>
        <set>.union(<ints>)
        <set>.intersection(<ints>)
        <set>.difference(<ints>, <ints>)
        {<int ?x:int> for ?x in <ints>}
        frozenset(<ints>)
        """,
    "date": r"""
        <date> + <span>
        <date> - <span>
        <date>.replace(day=<count>)
        <date>.replace(year=max(1000, <int>))
        <moment>.date()
        datetime.date.fromisoformat(<isotext>)
        datetime.date(2024, <small>, <int>)
        max(<date>, <date>)
        datetime.datetime.strptime(<isotext>, <form>).date()
        """,
    "moment": r"""
        <moment> + <span>
        <moment> - <span>
        <moment>.replace(hour=<small>, microsecond=0)
        datetime.datetime.strptime(<isotext>, <form>)
        datetime.datetime.fromisoformat(<isotext>)
        datetime.datetime.combine(<date>, datetime.time(<count>, 30))
        """,
    "span": r"""
        <span> + <span>
        <span> * <small>
        <span> // <small>
        -<span>
        abs(<span>)
        <date> - <date>
        <moment> - <moment>
        datetime.timedelta(days=<int>)
        datetime.timedelta(hours=<float>)
        datetime.timedelta(weeks=<small>, minutes=<small>)
        """,
    "any": r"""
        <int>
        <float>
        <str>
        <bool>
        <ints>
        <strs>
        <dict>
        <pairs>
        <rows>
        <none>
        <date>
        <moment>
        <span>
        (<int>, <str>)
        {'a': <any>, 'b': [<any>]}
        [<any>, <any>]
        {<key>: <any>, 9: <any>}
        <dict>.pop(<key>, None)
        <dict>.setdefault(<key>, <int>)
        json.loads(<jsontext>)
        re.findall(<pattern>, <str>)
        re.match(<pattern>, <str>).groups()
        re.search(<pattern>, <str>).span()
        re.split(<pattern>, <str>, maxsplit=1)
        [?m.groups() for ?m in re.finditer(<pattern>, <str>)]
        re.subn(<pattern>, <letter>, <str>)
        list(zip(<ints>, <str>))
        list(zip(*<pairs>))
        list(enumerate(<strs>))
        list(itertools.product(<ints>[:2], 'ab'))
        list(itertools.combinations(<ints>[:4], 2))
        list(itertools.permutations(<str>[:3], 2))
        list(itertools.zip_longest(<ints>, <str>))
        [(?k, list(?g)) for ?k, ?g in itertools.groupby(<ints>, key=lambda ?x: ?x % 2)]
        divmod(<float>, <small>)
        <str>.encode()
        <str>.partition(<letter>)
        sorted(<strs> + <ints>)
        sorted(<rows>)
        min(<rows>, key=lambda ?r: ?r['n'])
        max(<pairs>, key=lambda ?p: ?p[1], default=None)
        getattr(<object>, <key>, None)
        sorted(<set>)
        tuple(<ints>)
        list(<object>)
        [*<ints>, *<strs>]
        <any>[<small>]
        <any>[<key>]
        (<ints>, <str>)[<small>:<small>]
        """,
    "shown": """
        int(<int>)
        float(<float>)
        str(<str>)
        """,
    "function": "(lambda ?x, b=1: <int ?x:int>)",
    "generator": "(lambda ?n: iter(range(?n)))",
    "object": "collections.namedtuple('Named', 'n name')(<int>, <str>)",
    "class": "int",
}
"""How each kind is made of others."""

STATEMENTS = r"""
try:
    note(<any>)
except Exception as ?e:
    failed(?e)
----
try:
    note(<int>)
except Exception as ?e:
    failed(?e)
----
try:
    note(<str>)
except Exception as ?e:
    failed(?e)
----
try:
    note(<ints>)
except Exception as ?e:
    failed(?e)
----
try:
    note(<bool>)
except Exception as ?e:
    failed(?e)
----
try:
    note(<float>)
except Exception as ?e:
    failed(?e)
----
print(<any>, <any>, sep=<letter>, end='|\n')
----
print(<str>)
----
new ?x:int
?x = (<int>) % 1000003
----
new ?s:str
?s = (<str>)[:40]
----
new ?x:float
?x = <float>
----
new ?l:ints
?l = (<ints>)[:8]
----
new ?l:strs
?l = (<strs>)[:8]
----
new ?d:dict
?d = <dict>
----
new ?p:pairs
?p = (<pairs>)[:8]
----
new ?r:rows
?r = <rows>
----
new ?d:date
?d = <date>
----
new ?s:set
?s = <set>
----
new ?a:int ?b:str
?a, ?b = <small>, <str>
----
new ?a:int ?l:ints
?a, *?l = <ints>
----
new ?a:int ?b:int
?a = ?b = <count>
?a += <small>
?b -= <count>
?a, ?b = ?b, ?a
----
new ?l:ints
?l = [<int>, <int>, <int>]
?l.append(<int>)
?l.extend(<ints>)
?l.insert(<small>, <int>)
?l[<count>] = <int>
?l.sort(reverse=not <bool>)
note(?l)
----
new ?l:ints
?l = list(range(6))
?l[<small>:<small>] = <ints>
?l += list(<ints>)
?l += (<int>, <int>)
?l += <dict>.values()
----
new ?l:ints
?l = [4, 3, 2, 1]
try:
    ?l.remove(<int>)
    ?l.pop(<small>)
    del ?l[<small>]
    del ?l[<small>:<small>]
except Exception as ?e:
    failed(?e)
----
new ?d:dict
?d = {'a': 1, 'b': 2, 'c': 3}
try:
    ?d[<key>] = <int>
    ?d[<key>] += <int>
    del ?d[<key>]
    ?d.update(<dict>)
    ?d.pop(<key>)
except Exception as ?e:
    failed(?e)
----
new ?d:dict
?d = defaultdict(int)
for ?x in <strs>:
    ?d[?x] += <small>
----
?d = defaultdict(list)
for ?r in <rows>:
    ?d[?r['k']].append(?r['n'])
note(sorted(?d.items()))
----
?c = Counter(<strs>)
?c.update(<strs>)
?c['a'] += 1
note(?c.most_common(2))
----
?q = deque(<ints>)
?q.append(<int>)
?q.appendleft(<int>)
note([?q.popleft(), list(?q)])
----
?s = set(<ints>)
?s.add(<int>)
?s.discard(<int>)
?s |= {1, 2}
note(sorted(?s))
----
if <bool>:
    <block>
elif <bool>:
    <block>
else:
    <block>
----
if <bool>:
    <block>
----
for ?x in <ints>:
    <loop ?x:int>
else:
    <block>
----
for ?i, ?s in enumerate(<strs>):
    <loop ?i:int ?s:str>
----
for ?k, ?v in sorted(<dict>.items()):
    <loop ?k:str ?v:int>
----
for ?k, ?v in <pairs>:
    <loop ?k:str ?v:int>
----
for ?x in range(<count>):
    <loop ?x:int>
----
for ?r in <rows>:
    ?n, ?k = ?r['n'], ?r.get('k')
    <loop ?n:int ?k:str>
----
?n = <small>
while ?n < 3:
    ?n += 1
    <loop>
----
try:
    <block>
except (<error>, <error>) as ?e:
    failed(?e)
    <block>
except Exception as ?e:
    failed(?e)
else:
    <block>
finally:
    note('finally')
----
try:
    raise <error>(<letter>)
except <error> as ?e:
    note(['this', str(?e), type(?e).__name__])
except Exception as ?e:
    failed(?e)
----
try:
    try:
        <block>
        raise <error>(<any>)
    except <error>:
        note('inner')
        raise
    finally:
        <block>
except Exception as ?e:
    failed(?e)
----
try:
    assert <bool>, <str>
except AssertionError as ?e:
    note(str(?e))
----
try:
    raise <error>(<letter>) from None
except Exception as ?e:
    note(?e.args)
----
class ?E(<error>):
    pass
try:
    if <bool>:
        raise ?E(<str>)
    <block>
except ?E as ?e:
    note([type(?e).__name__, str(?e), isinstance(?e, ?E)])
except Exception as ?e:
    failed(?e)
----
class ?E(Exception):
    def __init__(self, code, text=''):
        super().__init__(text)
        self.code = code
try:
    raise ?E(<int>, <str>)
except ?E as ?e:
    note([?e.code, str(?e), ?e.args])
----
match <any>:
    case int(?x):
        note(['int', ?x])
    case str() as ?s if len(?s) < 3:
        note(['short', ?s])
    case [?a, *?b]:
        note(['list', ?a])
    case {'a': ?a}:
        note(['dict'])
    case None:
        note('none')
    case _:
        note('other')
----
new ?f:function
def ?f(a, b=<small>):
    <body a:int b:int>
    return <int a:int b:int>
----
new ?f:function
def ?f(a, *more, b=1):
    ?t = a + b
    for ?m in more:
        ?t += ?m
    return ?t
----
new ?f:function
def ?f(a, b=2):
    if a > 5:
        return <int a:int>
    elif a < 0:
        raise ValueError(f'negative {a}')
    <body a:int b:int>
    return a * b
----
new ?f:function
def ?f(n, b=0):
    if n <= 0 or n > 20:
        return b
    return ?f(n - 1, <int n:int b:int> % 1009)
----
new ?f:function
def ?f(a, b=1, **named):
    ?c = [a]
    def ?inner(x):
        nonlocal b
        b += 1
        ?c.append(<int x:int a:int b:int>)
        return len(?c)
    ?inner(a)
    ?inner(b)
    return sum(?c)
----
new ?f:function
def ?deco(f):
    @functools.wraps(f)
    def ?inner(*args, **kwargs):
        note([args, kwargs])
        return f(*args, **kwargs) + <count>
    return ?inner
@?deco
def ?f(a, b=1):
    return a - b
----
new ?f:function
@functools.lru_cache(maxsize=None)
def ?f(a, b=1):
    return a * 2 + b
----
?total = 0
def ?f(a):
    global ?total
    ?total += <int a:int>
    return ?total
note([?f(1), ?f(2), ?total])
----
new ?g:generator
def ?g(n):
    for ?i in range(n):
        <yields ?i:int n:int>
        yield <int ?i:int n:int>
----
new ?g:generator
def ?g(n):
    yield from <ints>
    if n > 1:
        yield from ?g(n - 1)
    return 5
----
new ?g:generator
def ?g(n):
    ?x = 0
    while ?x < n + 2:
        ?x += 1
        try:
            yield <int ?x:int>
        except Exception as ?e:
            yield -1
        finally:
            ?x += 1
----
?it = (<int ?x:int> for ?x in <ints> if <bool ?x:int>)
try:
    note(next(?it, 'none'))
    for ?y in ?it:
        note(?y)
        if <bool ?y:int>:
            break
    note(list(?it))
    note(list(?it))
except Exception as ?e:
    note(type(?e).__name__)
    note(list(?it))
----
?a = (<function>(?x) for ?x in <generator>(<count>))
?b = zip(?a, <strs>)
try:
    note(list(?b))
    note(list(?b))
    note(next(?a, 'end'))
except Exception as ?e:
    note(type(?e).__name__)
----
new ?g:generator
def ?g(n):
    for ?i in range(n + 3):
        match ?i % 3:
            case 0:
                yield <int ?i:int n:int>
            case 1 if n > 1:
                note('one')
                yield from <ints>
            case _:
                if <bool ?i:int>:
                    return 1
        note(?i)
----
new ?g:generator
def ?g(n):
    ?seen = set()
    for ?x in <ints>:
        if ?x not in ?seen:
            ?seen.add(?x)
            yield ?x + n
----
?it = iter(<ints>)
try:
    note(next(?it))
    note([?x for ?x in ?it])
    note(next(?it, 'end'))
    next(?it)
except StopIteration:
    note('stop')
----
?it = <generator>(<count>)
try:
    note(next(?it))
    for ?x in ?it:
        note(?x)
        if <bool ?x:int>:
            break
    note(list(?it))
    note(next(?it, 'end'))
except Exception as ?e:
    failed(?e)
except StopIteration:
    note('stop')
----
new ?o:object ?C:class
class ?C:
    made = 0
    def __init__(self, n, name=<str>):
        self.n, self.name = n, name
        ?C.made += 1
    def total(self, k=1):
        <body k:int>
        return self.n * k
    @property
    def double(self):
        return self.n * 2
    def __repr__(self):
        return f'?C({self.n!r}, {self.name!r})'
    def __eq__(self, other):
        return isinstance(other, ?C) and self.n == other.n
    def __lt__(self, other):
        return self.n < other.n
    def __len__(self):
        return len(self.name)
    def __iter__(self):
        return iter([self.n, self.name])
?o = ?C(<int>)
----
new ?o:object ?C:class
class ?A:
    kind = <str>
    def __init__(self, n):
        self.n = n
        self.name = type(self).__name__
    def total(self, k=2):
        return self.n + k
    def __str__(self):
        return f'{self.kind}:{self.total()}'
    @staticmethod
    def half(x):
        return x // 2
    @classmethod
    def make(cls, n):
        return cls(n)
class ?C(?A):
    kind = 'sub'
    def __init__(self, n, more=<int>):
        super().__init__(n)
        self.more = more
    def total(self, k=3):
        return super().total(k) * 10 + self.more % 7
    @property
    def double(self):
        return self.half(self.n) * 4
?o = ?C.make(<int>)
note([str(?o), str(?A(<small>)), isinstance(?o, ?A), issubclass(?C, ?A), ?C.kind, ?o.half(9)])
----
new ?o:object ?C:class
@dataclass
class ?C:
    n: int
    name: str = <str>
    tags: list = field(default_factory=list)
    def total(self, k=1):
        return self.n + k + len(self.tags)
?o = ?C(<int>)
?o.tags.append(<any>)
note([?o.n, ?o.tags, ?o == ?C(<int>)])
----
new ?o:object ?C:class
?C = namedtuple('?C', 'n name')
?o = ?C(<int>, name=<str>)
note([?o.n, ?o[1], ?o._asdict(), ?o._replace(n=0)])
----
new ?o:object ?C:class
class ?A:
    made = 0
    def __init__(self, n):
        self.n, self.name, self._level = n, <str>, <int>
        ?A.made += 1
    @property
    def level(self):
        return self._level
    @level.setter
    def level(self, value):
        self._level = value * 2
    def total(self, k=1):
        return self.n + k
    def __lt__(self, other):
        return self.n % 3 < other.n % 3
    def __iadd__(self, other):
        self.n += other
        return self
class ?C(?A):
    def __init__(self, n):
        super().__init__(n)
        self.__code = n
    @property
    def level(self):
        return super().level + 1
    def code(self):
        return self.__code
?o = ?a = ?C(<int>)
?o += <int>
?o._level = <int>
note([?o.n, ?o is ?a, ?o.level, ?o.code(), ?C.made, ?A(1).made])
?A.made = <int>
note([?C.made, hasattr(?o, '__code')])
?x = ?A(<int>)
?x.level = <int>
?x.level += <int>
(?x.level, ?y), ?x.n = (<int>, <int>), <int>
note([?x.level, ?x.n])
?os = [?A(<int>) for _ in range(4)] + [?A(<small>), ?A(<int>)]
note([[?y.n for ?y in sorted(?os)], [?y.n for ?y in sorted(?os, reverse=True)]])
note([min(?os).n, max(?os).n, ?os[0] < ?os[1]])
match ?o:
    case ?A(n=0 | 1, name=?s) | ?A(name=?s, n=2):
        note(['few', ?s])
    case ?C(n=int(?y), level=?x) if ?y > 5:
        note(['many', ?y, ?x])
    case ?A():
        note('some')
match [?o, <any>]:
    case [?A(n=?y), str() | None]:
        note(['text', ?y])
    case [?A(), *?rest]:
        note(['rest', len(?rest)])
----
class ?A(Exception):
    pass
class ?E(?A):
    def __init__(self, code, text=''):
        self.code = code
try:
    try:
        <block>
        raise ?A(<str>)
    except ?A as ?e:
        raise ?E(<int>, <str>) from ?e
    except Exception as ?e:
        raise ?E(<int>, text=<str>) from ?e
except ?E as ?e:
    note([?e.code, ?e.args, str(?e), type(?e.__cause__).__name__, isinstance(?e, ?A)])
----
new ?o:object ?C:class
@dataclass(order=True)
class ?A:
    n: int
    name: str = field(default=<str>, compare=False)
    def total(self, k=1):
        return self.n - k
@dataclass(order=True)
class ?C(?A):
    more: float = <float>
    n: int = <int>
?o = ?C(<int>, <str>)
?os = [?A(<small>, <str>), ?A(<small>, <str>), ?A(<int>, <str>)]
note([?o, sorted(?os), min(?os), max(?os), ?os[0] <= ?os[1], ?o == ?C(<int>), ?o > ?C(<small>)])
heapq.heapify(?os)
heapq.heappush(?os, ?A(<small>, <str>))
note([heapq.heappop(?os) for _ in range(4)])
match ?o:
    case ?C(?x, ?s, float(?y)):
        note([?x, ?s, ?y])
    case ?A(n=?x):
        note(?x)
----
class ?A(enum.IntEnum):
    LOW = <count>
    HIGH = 5
class ?C(enum.Enum):
    RED = <str>
    BLUE = 'blue!'
    @property
    def long(self):
        return len(self.value)
note([?A.LOW < ?A.HIGH, ?A.HIGH + <int>, max(?A), isinstance(?A.LOW, int), ?A(5)])
note([?x.name for ?x in sorted(?A, reverse=True)])
for ?x in ?C:
    match ?x:
        case ?C.RED:
            note(['red', ?x.long])
        case ?C.BLUE:
            note([?x.name, ?x, ?C(?x.value) is ?x])
----
class ?C(typing.NamedTuple):
    n: int
    name: str = <str>
    def total(self, k=1):
        return self.n * k
?os = sorted([?C(<small>), ?C(<small>, <str>), ?C(<int>)])
note([?os, ?os[0].total(3), ?os[1] < (<int>,), tuple(?os[2]), isinstance(?os[0], tuple), max(?os).name])
match ?os[0]:
    case (0 | 1, ?s):
        note(['pair', ?s])
    case ?C(name=?s):
        note(['named', ?s])
----
?o = sorted([<object>, <object>], key=lambda ?x: ?x.n)
note([?x.n for ?x in ?o])
----
try:
    <object>.n = <int>
    note(<object>.nothing)
except Exception as ?e:
    failed(?e)
----
?fs = [lambda ?x, ?i=?i: <int ?x:int ?i:int> for ?i in range(3)]
note([?f(2) for ?f in ?fs])
----
?add = list(<ints>).append
?add(<int>)
?low = str.lower
note(?low(<str>))
"""
IN_LOOPS = r"""
if <bool>:
    break
----
if <bool>:
    continue
"""
IN_FUNCTIONS = r"""
if <bool>:
    return <int>
"""
IN_GENERATORS = r"""
yield <int>
----
if <bool>:
    yield <int>
----
for ?y in <ints>:
    yield <int ?y:int>
----
if <bool>:
    return
"""


def _cases(text: str) -> list[str]:
    return [case.strip("\n") for case in text.split("\n----\n")]


LITERALS: dict[str, list[str]] = {kind: re.findall(r"(?:'(?:\\.|[^'])*'|\S)+", text) for kind, text in PLAIN.items()}
RULES_OF = {kind: [line.strip() for line in text.strip().split("\n")] for kind, text in RULES.items()}
ALL = _cases(STATEMENTS)
SHORT = [case for case in ALL if not any(map(BLOCK.fullmatch, case.replace("?", "").split("\n")))]
MORE = {"loop": _cases(IN_LOOPS), "body": _cases(IN_FUNCTIONS), "yields": _cases(IN_GENERATORS)}
GUARDED = 0.9
"""Share of the definitions, and of the outermost statements, that end no program."""
WRONG_KINDS = ("int", "float", "str", "ints", "strs", "dict", "none", "date", "rows", "bool")
RIGHT = ("class", "shown")
AS_IT_IS = ("spec", "percent", "bare")
"""Kinds that stand in quotes, where there are no parentheses."""


SOFT_KEYWORDS = {1: "match", 2: "case"}
"""What names are called that are so many, as code that searches does."""


class Program:
    """One program: `body` has its statements, which stand between `BEFORE` and `AFTER`."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.name_count = 0
        self.scope: list[tuple[str, str]] = []
        """Each variable there is, and of what kind it is."""
        self.places: tuple[str, ...] = ()
        """What is around a statement that allows for others."""
        statements = [self.statement(0) for _ in range(self.random.randint(3, 9))]
        self.body = ast.unparse(ast.parse("\n".join(statements)))

    def statement(self, depth: int) -> str:
        more = [case for place in self.places for case in MORE[place]]
        if more and self.random.random() < 0.3:
            text = self.random.choice(more)
        else:
            text = self.random.choice(SHORT if depth >= MOST_DEEP else ALL)
        new, text = text.split("\n", 1) if text.startswith("new ") else ("", text)
        new, text = self.named(new + "\n" + text).split("\n", 1)
        made = "\n".join(self.line(line, depth) for line in text.split("\n"))
        new_variables = self.variables(new)
        is_guarded = bool(new) or (depth == 0 and not text.startswith("try:"))
        if is_guarded and self.random.random() < GUARDED:
            made = self.guarded(made, new_variables)
        self.scope += new_variables
        return made

    def guarded(self, text: str, new_variables: list[tuple[str, str]]) -> str:
        """Statements after which their variables are there, whatever they raise."""
        before = [f"{name} = {self.simplest(kind)}" for name, kind in new_variables]
        inner = "\n".join(f"    {line}" for line in text.split("\n"))
        return "\n".join([*before, "try:", inner, "except Exception as error:", "    failed(error)"])

    def simplest(self, kind: str) -> str:
        return LITERALS[kind][0] if kind in LITERALS else self.filled(self.named(RULES_OF[kind][0]), 1)

    def named(self, text: str) -> str:
        """A rule with names of its own."""
        names: dict[str, str] = {}

        def name(found: re.Match[str]) -> str:
            self.name_count += found[1] not in names
            return names.setdefault(found[1], SOFT_KEYWORDS.get(self.name_count, f"{found[1]}{self.name_count}"))

        return re.sub(r"\?(\w+)", name, text)

    def variables(self, text: str) -> list[tuple[str, str]]:
        return re.findall(r"(\w+):(\w+)", text)

    def line(self, line: str, depth: int) -> str:
        block = BLOCK.fullmatch(line)
        if block is None:
            return self.filled(line, 0)
        indent, place, own = block.groups()
        scope, places = self.scope, self.places
        self.scope = [*scope, *self.variables(own)]
        if place != "block":
            self.places = (*places, "loop") if place == "loop" else (place,)
        inner = [self.statement(depth + 1) for _ in range(self.random.randint(1, 2))]
        self.scope, self.places = scope, places
        return "\n".join(indent + row for text in inner for row in text.split("\n"))

    def filled(self, rule: str, depth: int) -> str:
        return HOLE.sub(lambda hole: self.hole(hole, depth), rule)

    def hole(self, hole: re.Match[str], depth: int) -> str:
        scope, kind = self.scope, hole[1]
        self.scope = [*scope, *self.variables(hole[2])]
        is_owner = hole.string[hole.end() : hole.end() + 1] == "."
        made = self.expression(kind, depth, not is_owner and kind not in RIGHT)
        self.scope = scope
        return made if kind in AS_IT_IS else f"({made})"

    def expression(self, kind: str, depth: int, may_be_wrong: bool) -> str:
        if may_be_wrong and kind in RULES_OF and self.random.random() < WRONG:
            kind = self.random.choice(WRONG_KINDS)
        if kind == "bare":
            return self.random.choice([name for name, own in self.scope if own in LITERALS] or ["5", "2.5"])
        known = [name for name, own in self.scope if own == kind]
        if known and self.random.random() < 0.5:
            return self.random.choice(known)
        if kind not in LITERALS or (kind in RULES_OF and depth < MOST_DEEP and self.random.random() < 0.6):
            return self.filled(self.named(self.random.choice(RULES_OF[kind])), depth + 1)
        return self.random.choice(LITERALS[kind])
