"""What hostile code may have the host do: each call that leaves the sandbox has a bound, and bombs that keep to it."""

from __future__ import annotations

import ast
import inspect
import resource
import subprocess
import sys
from types import SimpleNamespace
from typing import Any, get_args

import pytest

from langgraph_rlm.context import Context
from langgraph_rlm.repl import host, standard
from tests.fakes import error_of

SECONDS, BYTES = 10, 4 * 2**30
"""Of processor time for one bomb, of memory for all: what they take is a tenth of it."""

DEEP = [["BinOp", {"left": ["node", i + 1], "op": ["node", 41], "right": ["node", i + 1]}] for i in range(40)]
STANDARD: dict[str, list[list[Any]]] = {
    "html.unescape": [["&#" * 499_000], ["&#" + "9" * 900_000 + ";"]],
    "json.fault": [["[" * 900_000, True], ["[" + "1," * 490_000, True], ["1" * 990_000, False]],
    "json.end": [['{"a":' * 190_000, True], ["[" + '"\\u12",' * 120_000, True]],
    "json.parts": [["[" + "{}," * 99_000 + "1]", True], ["[" * 290_000, True], ["[" + "1.5," * 70_000 + "1]", False]],
    "textwrap.wrap": [["\t" * 9000, {"tabsize": 100}], [("a" * 9999 + " ") * 29, {"width": 1}]],
    "textwrap.dedent": [[" " * 499_000 + "a\n" + " " * 499_000 + "b"]],
    "pprint.pformat": [[[["x"]] * 30_000, {"width": 1}], [[10**4000] * 10, {"underscore_numbers": True}]],
    "urllib.split": [["//[" + "1:" * 40_000 + "]/", "", True], ["//" + "@" * 90_000, "", True]],
    "urllib.unsplit": [[["http", "a" * 90_000, "b", "c", "d"]]],
    "urllib.join": [["http://a/" + "b/" * 24_000, "../" * 15_000, True]],
    "urllib.pairs": [["a&" * 499_000, True, False, "&"], ["a=%" * 330_000, True, False, "&"]],
    "urllib.quote": [["é" * 900_000, "", True], ["a", "é" * 990_000, False]],
    "urllib.unquote": [["%" * 999_000, False]],
    "statistics": [["harmonic_mean", [2**1022 + i for i in range(9_000)], []], ["variance", [2**1000] * 40_000, []]],
    "difflib.matches": [["ab" * 49_000, "ba" * 49_000, False], [[1] * 90_000, [1] * 90_000, False]],
    "difflib.compare": [
        [["x"] * 12_000, ["x"] * 12_000 + ["y"], True],
        [[str(i) for i in range(4_000)], [str(-i) for i in range(4_000)], False],
        [["ab" * 90 + str(i) for i in range(100)], ["ba" * 90 + str(i) for i in range(100)], True],
        [["x" * 19_999 + "a"], ["a" + "x" * 19_999], True],
        [[f"{'a' * 20}{i}" for i in range(300)], [f"{'a' * 20}{i}b" for i in range(300)], True],
    ],
    "difflib.close": [["abcdefgh" * 10, ["hgfedcba" * 10 + str(i) for i in range(1500)], 3, 0.1]],
    "ast.parse": [["f'" + "{a}" * 60_000 + "'", "exec"], ["(" * 100_000, "exec"], ["9" * 199_000, "eval"]],
    "ast.unparse": [[[*DEEP, ["Constant", {"value": ["value", 1]}], ["Add", {}]]]],
    "ast.literal_eval": [["[1]+" * 40_000], ["-" * 190_000 + "1"]],
    "xml.parse": [["<a>" * 300_000], ["<a " + " ".join(f"b{i}='c'" for i in range(60_000)) + "/>"]],
    "quopri.decode": [[b"=41" * 330_000, False], [(b" " * 999 + b"\n") * 990, False]],
    "email.parse": [["Content-Type: message/rfc822\n\n" * 60_000, True], ["A:\n " + " \n " * 200_000, False]],
    "email.decode": [["begin 666 a\n" + "#86)C\n" * 270_000, "x-uuencode", "utf-8"], ["a", "base64", '";' * 900_000]],
    "codec.decode": [[b"\xff" * 1_990_000, "big5", "replace"], [b"a", "utf" + "-" * 1_900_000, "strict"]],
    "codec.encode": [["\ud800" * 1_900_000, "big5", "xmlcharrefreplace"], ["\u4e00" * 1_990_000, "gb18030", "strict"]],
    "email.header_pieces": [["=?a?b?" * 3300], ["=? " * 6600]],
    "email.addresses": [[["(" * 9000 + ")" * 9000]], [["a@b," * 4900]]],
    "email.address": [["<a@b" * 4900], ['"(' * 9900]],
    "email.date": [["1 Jan " + "9" * 900], ["-" * 990]],
}
CONTEXT: dict[str, list[list[Any]]] = {
    "get_document": [[10**4000]],
    "documents": [[]],
    "slice": [[-(10**4000), 10**4000]],
    "find": [["a" * 400_000 + "b", 0, None]],
    "compact": [["\n".join("x" * 300 + str(i % 100) for i in range(6000))]],
    "grep": [["a " * 400_000 + "c", 10**9, 10**9], ["a", 10**4000, 10**4000]],
    "piece": [[0, 10**4000, 10**4000, 10**4000]],
    "places": [[[[10**6 - i, 10**6] for i in range(1, 300_000)], 10**9]],
    "cite": [["a " * 400_000 + "c"]],
    "chunk": [[2, 1], [1, 0]],
    "cut": [["a" * 1_000_001, 1, 0], ["a" * 900_000, 2, 1]],
}
CALLS: dict[str, list[tuple[Any, ...]]] = {
    "context": [(name, arguments) for name, bombs in CONTEXT.items() for arguments in bombs],
    "module": [("_" * 1_000_000,)],
    "standard": [(name, arguments) for name, bombs in STANDARD.items() for arguments in bombs],
    "pattern": [("[^" + "".join(map(chr, range(0x400, 0x400 + 9000))) + "]", 2), ("(a*)*" * 1000, 0), ("(" * 9000, 0)],
    "patterns": [([["[^" + "".join(map(chr, range(0x400, 0x400 + 9000))) + "]", 2]] * 1000,), ([["", 0]] * 300_000,)],
    "group": [("a" * 1_000_000,)],
    "budget": [()],
    "show_vars": [()],
}
ASKED = {"ask", "tool"}
"""Calls that the graph answers, within the limits of a run."""


def explode() -> None:
    """All of them, each after its name."""
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    context = Context.of("a " * 500_000 + "b")
    for call, bombs in CALLS.items():
        for arguments in bombs:
            print(call, str(arguments)[:60], flush=True)
            used = int(resource.getrusage(resource.RUSAGE_SELF).ru_utime) + SECONDS
            resource.setrlimit(resource.RLIMIT_CPU, (used, resource.RLIM_INFINITY))
            snapshot: Any = SimpleNamespace(is_os_function=False, function_name="_host", args=(call, *arguments))
            host.answer(snapshot, context, ())


def cases(function: Any) -> set[str]:
    """The first words of what its `match` takes."""
    tree = ast.parse(inspect.getsource(function))
    found: set[str] = set()
    for case in [node for node in ast.walk(tree) if isinstance(node, ast.match_case)]:
        words = [node.value for node in ast.walk(case.pattern) if isinstance(node, ast.Constant)]
        found |= {word for word in words[:1] if isinstance(word, str)}
    return found


def test_all_that_leaves_the_sandbox_has_a_bomb() -> None:
    assert cases(host.answer) == {*CALLS, *ASKED}
    assert cases(host._read_context) == {*CONTEXT}
    assert {*STANDARD} == {*standard.FUNCTIONS}


def test_bombs_take_the_host_little_time_and_memory() -> None:
    code = "from tests.unit.repl.test_hostile import explode; explode()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout.splitlines()[-1:] + done.stderr.splitlines()[-1:]


@pytest.mark.parametrize("name", standard.FUNCTIONS)
def test_function_takes_no_more_than_its_bound(name: str) -> None:
    function = standard.FUNCTIONS[name]
    most = function.most + 1
    much: dict[Any, Any] = {
        str: "a" * most,
        bytes: b"a" * most,
        list: [0] * most,
        dict: {},
        bool: True,
        object: "a" * most,
    }
    kinds = [next((kind for kind in (get_args(one) or (one,)) if kind in much), int) for one in function.takes]
    with pytest.raises(standard.Refused, match=f"{name} takes at most {function.most:,} "):
        standard.call(name, [much.get(kind, 1) for kind in kinds])


def test_node_that_stands_twice_in_a_tree_is_refused() -> None:
    """A text of trees like that may be exponentially long."""
    twice = [["BinOp", {"left": ["node", 1], "op": ["node", 2], "right": ["node", 1]}], ["Pass", {}], ["Add", {}]]
    assert "no syntax tree" in error_of(f"__rlm__['standard']('ast.unparse', {twice!r})")
