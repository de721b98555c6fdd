"""`Context.from_files`: files, folders and globs."""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph_rlm.context import Context, Progress, Skipped
from langgraph_rlm.context.names import prefixes
from langgraph_rlm.errors import ContextError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def names(context: Context) -> list[str]:
    return [document["name"] for document in context.metadata]


def through_checkpoint(context: Context) -> Context:
    serializer = JsonPlusSerializer()
    return Context.from_state(serializer.loads_typed(serializer.dumps_typed(context.to_state())))


def test_files_are_documents_in_the_order_given() -> None:
    write({"b.txt": "second", "a.txt": "first"})
    context = Context.from_files("b.txt", Path("a.txt"))
    assert context.text == "second\n\nfirst"
    assert context.metadata[1] == {"name": "a.txt", "length": 5, "start": 8, "end": 13, "undecodable_bytes": 0}


@pytest.mark.parametrize(
    "given",
    [
        lambda paths: list(paths),
        lambda paths: tuple(paths),
        lambda paths: (path for path in paths),
        lambda paths: dict.fromkeys(paths).keys(),
    ],
    ids=["list", "tuple", "generator", "dict view"],
)
def test_one_list_of_paths_is_read_as_the_paths_are(
    given: Callable[[Sequence[str | Path]], Iterable[str | Path]],
) -> None:
    write({"b.txt": "second", "a.txt": "first", "docs/c.md": "third"})
    paths: list[str | Path] = ["b.txt", Path("a.txt"), "docs/*.md"]
    seen: list[Progress] = []
    assert Context.from_files(given(paths), on_progress=seen.append) == Context.from_files(*paths)
    assert seen[-1].files_read == 3


def test_what_pathlib_and_scandir_find_is_read(folder: Path) -> None:
    write({"docs/a.md": "a", "docs/b.txt": "b"})
    assert names(Context.from_files(Path("docs").glob("*.md"))) == ["docs/a.md"]
    assert names(Context.from_files(set(Path("docs").iterdir()) - {Path("docs/a.md")})) == ["docs/b.txt"]
    with os.scandir("docs") as entries:
        assert sorted(names(Context.from_files(entries))) == ["docs/a.md", "docs/b.txt"]


def test_list_of_one_folder_names_its_files_from_there() -> None:
    write({"docs/a/z.md": "z"})
    assert names(Context.from_files(["docs"])) == ["a/z.md"]


def test_folder_is_read_with_all_below_it_sorted_and_named_from_there() -> None:
    write({"docs/b.md": "b", "docs/a/z.md": "z", "docs/a.md": "a", "docs/.hidden": "h", "other.md": "o"})
    assert names(Context.from_files("docs")) == [".hidden", "a/z.md", "a.md", "b.md"]


def test_folder_is_read_through_an_absolute_path_and_a_link(folder: Path) -> None:
    write({"docs/a.md": "a"})
    Path("link").symlink_to("docs")
    assert names(Context.from_files(folder / "docs")) == names(Context.from_files("link")) == ["a.md"]


def test_equal_names_in_two_folders_are_told_apart() -> None:
    write({"one/README": "1", "one/a": "a", "two/README": "2"})
    assert names(Context.from_files("one", "two")) == ["one/README", "one/a", "two/README"]


SEVERAL_FOLDERS = {
    "their names stand in front": (["lib/logging", "lib/email"], ["logging/config.py", "email/mime/text.py"]),
    "a slash at the end is no part of it": (
        ["lib/logging/", "./lib//email/"],
        ["logging/config.py", "email/mime/text.py"],
    ),
    "namesakes have more of their paths": (["a/src", "b/src", "docs"], ["a/src/x.py", "b/src/x.py", "docs/guide.md"]),
    "as much as tells them apart": (["lib/a/src", "a/src", "b/src"], ["lib/a/src/y.py", "a/src/x.py", "b/src/x.py"]),
    "a short path that is the end of a long one": (["docs", "a/docs"], ["docs/guide.md", "a/docs/guide.md"]),
    "a folder in another, after it": (["a", "a/src"], ["a/docs/guide.md", "a/src/x.py"]),
    "a folder in another, before it": (["a/src", "a"], ["src/x.py", "a/docs/guide.md"]),
    "a folder twice": (["docs", "a/docs", "docs/"], ["docs/guide.md", "a/docs/guide.md"]),
    "a file as it was given": (["a/src", "docs", "b/src/x.py"], ["src/x.py", "docs/guide.md", "b/src/x.py"]),
    "a glob as it was given": (["a/src", "b/*/*.py", "docs"], ["src/x.py", "b/src/x.py", "docs/guide.md"]),
    "a file that is called as one of a folder": (
        ["docs/guide.md", "a/docs", "b/src"],
        ["docs/guide.md", "a/docs/guide.md", "src/x.py"],
    ),
    "two folders whose files are called alike": (
        ["lib/one", "two/one/deep", "three/deep"],
        ["lib/one/deep/f", "two/one/deep/f", "three/deep/f"],
    ),
}


@pytest.mark.parametrize(("paths", "named"), SEVERAL_FOLDERS.values(), ids=SEVERAL_FOLDERS.keys())
def test_documents_of_several_folders_keep_the_folder_in_their_names(paths: list[str], named: list[str]) -> None:
    files = ["lib/logging/config.py", "lib/email/mime/text.py", "a/src/x.py", "b/src/x.py", "lib/a/src/y.py"]
    files += ["docs/guide.md", "a/docs/guide.md", "lib/one/deep/f", "two/one/deep/f", "three/deep/f"]
    write({name: name for name in files})
    context = Context.from_files(paths)
    assert names(context) == named
    assert all(text.endswith(name) for text, name in zip(context.documents(), named, strict=True))
    assert through_checkpoint(context) == context


def test_folder_by_its_absolute_path_has_as_little_of_it_in_front(folder: Path) -> None:
    write({"one/src/a": "", "two/src/b": "", "docs/c": ""})
    assert names(Context.from_files(folder / "one/src", folder / "docs")) == ["src/a", "docs/c"]
    assert names(Context.from_files(folder / "one/src", "two/src")) == ["one/src/a", "two/src/b"]


def test_folder_that_is_given_by_dots_has_its_own_name_in_front(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write({"top/here/a": "", "top/beside/b": "", "top/here/beside/c": ""})
    monkeypatch.chdir("top/here")
    assert names(Context.from_files(".", "../beside")) == ["here/a", "here/beside/c", "beside/b"]
    assert names(Context.from_files("beside/", "..")) == ["beside/c", "top/beside/b", "top/here/a"]
    assert names(Context.from_files("beside", "../beside")) == ["beside/c", "../beside/b"]
    assert names(Context.from_files("..")) == ["beside/b", "here/a", "here/beside/c"]


def test_folder_that_is_a_link_has_the_name_of_the_link_in_front() -> None:
    write({"v1.2/a": "", "docs/b": ""})
    Path("current").symlink_to("v1.2")
    assert names(Context.from_files("current", "docs")) == ["current/a", "docs/b"]


def test_one_folder_in_several_spellings_is_one_folder(folder: Path) -> None:
    write({"docs/a": "", "other.md": ""})
    Path("link").symlink_to("docs")
    assert names(Context.from_files("docs", "docs/", folder / "docs", "link", "link/../docs", "other.md")) == [
        "a",
        "other.md",
    ]


def test_ignored_folder_in_a_folder_has_its_name_in_front() -> None:
    write({"src/.gitignore": "build", "src/a": "", "src/build/b": ""})
    assert names(Context.from_files("src", "src/build")) == ["src/.gitignore", "src/a", "build/b"]


def test_root_has_its_slash_in_front() -> None:
    assert prefixes(["/", "/tmp/docs"]) == {"/": Path("/"), os.path.realpath("/tmp/docs"): Path("docs")}


def test_file_beside_a_folder_takes_no_name_that_one_of_its_files_has() -> None:
    write({"a.md": "1", "docs/a.md": "2", "docs/docs/a.md": "3", "docs/b.md": "4"})
    context = Context.from_files("a.md", "docs")
    assert names(context) == ["a.md", "docs/a.md", "b.md", "docs/docs/a.md"]


@pytest.mark.parametrize("seed", range(25))
def test_each_file_is_read_once_and_has_a_name_of_its_own(seed: int, folder: Path) -> None:
    rng = random.Random(seed)
    for _ in range(25):
        place = folder.joinpath(*rng.choices("ab", k=rng.randint(0, 4)))
        place.mkdir(parents=True, exist_ok=True)
        (place / rng.choice("xy")).touch()
    everything = [*folder.rglob("*"), folder]
    given = [path for path in rng.sample(everything, 8) if path.is_file() or any(map(Path.is_file, path.rglob("*")))]
    spelled = [rng.choice([path, os.path.relpath(path), f"{path}/." if path.is_dir() else path]) for path in given]
    read = {file for path in given for file in (path, *path.rglob("*")) if file.is_file()}
    context = Context.from_files(*spelled, "**/x")
    assert {Path(file.path).resolve() for file in context.files} == read | {*folder.rglob("x")}
    assert len(set(names(context))) == context.num_documents() == len(read | {*folder.rglob("x")})


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("*.md", ["a.md"]),
        ("src/*.py", ["src/a.py"]),
        ("src/*/*.py", ["src/x/b.py"]),
        ("src/**/*.py", ["src/a.py", "src/x/b.py", "src/x/y/c.py"]),
        ("**/[bc].py", ["src/x/b.py", "src/x/y/c.py"]),
        ("src/**/x/**/*.py", ["src/x/b.py", "src/x/y/c.py"]),
        ("src/x/**", ["src/x/b.py", "src/x/y/c.py"]),
        ("s?c/a.*", ["src/a.py"]),
    ],
)
def test_glob_reads_the_files_it_matches(pattern: str, matched: list[str], folder: Path) -> None:
    write({"a.md": "", "src/a.py": "", "src/x/b.py": "", "src/x/y/c.py": "", "src/.git/d.py": ""})
    assert names(Context.from_files(pattern)) == matched
    assert names(Context.from_files(folder / pattern)) == [(folder / name).as_posix() for name in matched]


def test_file_whose_name_looks_like_a_glob_is_that_file() -> None:
    write({"notes[1].md": "one", "notes1.md": "other"})
    assert Context.from_files("notes[1].md").text == "one"


def test_file_named_twice_or_through_a_link_is_one_document(folder: Path) -> None:
    write({"docs/a.md": "a", "docs/b.md": "b"})
    Path("docs/link.md").symlink_to("a.md")
    assert names(Context.from_files("docs/b.md", "docs", folder / "docs/a.md", "docs/*.md")) == ["docs/b.md", "a.md"]


def test_link_loops_and_links_out_of_the_folder_are_not_walked() -> None:
    write({"docs/a/b.md": "b", "outside/secret.md": "s"})
    Path("docs/a/up").symlink_to("..")
    Path("docs/a/again").symlink_to("../../docs")
    Path("docs/self").symlink_to("self")
    Path("docs/dangling").symlink_to("nowhere")
    Path("docs/out").symlink_to("../outside")
    assert names(Context.from_files("docs")) == ["a/b.md"]
    assert names(Context.from_files("docs/**/*.md")) == ["docs/a/b.md"]


def test_what_is_no_regular_file_is_left_out_of_a_folder_and_refused_by_name() -> None:
    write({"docs/a.md": "a"})
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("docs/socket")
        os.mkfifo("docs/pipe")
        assert names(Context.from_files("docs")) == ["a.md"]
        for name in ("docs/socket", "docs/pipe"):
            with pytest.raises(ContextError, match=f"'{name}' is not a regular file"):
                Context.from_files(name)


def test_gitignore_holds_in_folders_and_globs_also_from_the_repository_root() -> None:
    write(
        {
            ".gitignore": "ROOT_RULE\n*.skip\n",
            "repo/.git/config": "not read",
            "repo/.gitignore": "*.log\nbuild/\n",
            "repo/src/.gitignore": "/local\n!keep.log\n",
            "repo/src/a.py": "",
            "repo/src/a.log": "",
            "repo/src/keep.log": "",
            "repo/src/local": "",
            "repo/src/deep/local": "",
            "repo/src/build/x.py": "",
            "repo/src/above.skip": "",
        }
    )
    read = [".gitignore", "above.skip", "a.py", "deep/local", "keep.log"]
    assert sorted(names(Context.from_files("repo/src"))) == sorted(read)
    assert sorted(names(Context.from_files("repo/src/**/*"))) == sorted(f"repo/src/{name}" for name in read)
    assert sorted(names(Context.from_files("repo"))) == sorted([".gitignore", *(f"src/{name}" for name in read)])


def test_ignored_file_or_folder_is_read_when_it_is_named_itself() -> None:
    write(
        {".git/config": "", ".gitignore": "build/\n*.log\n", "a.log": "log", "build/out.txt": "out", "build/b.log": "b"}
    )
    assert Context.from_files("a.log").text == "log"
    assert names(Context.from_files("build")) == ["b.log", "out.txt"]
    assert names(Context.from_files("build/*.txt")) == ["build/out.txt"]


def test_gitignore_lines_that_are_no_pattern_are_passed_over() -> None:
    write({"docs/.gitignore": b"\xef\xbb\xbf*.log\r\n!\n[z-a]\nx\\\n# \xff\n", "docs/a.log": "", "docs/b": ""})
    assert names(Context.from_files("docs")) == [".gitignore", "b"]


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
@pytest.mark.parametrize("seed", range(25))
def test_gitignore_excludes_what_git_excludes(seed: int, folder: Path) -> None:
    patterns = ["*.log", "!keep.log", "build/", "/build", "a/*", "!a/b", "**/x", "a/**", "!a/**", "a/**/c", "*", "/*"]
    patterns += ["!*/", "!*.txt", "#c", "b*/", "!b", "!/a", "*.t?t", "[ab].txt", "/*.txt", "!/a.txt", "a/b/", "!a/**/"]
    patterns += ["a/**/*", "\\!x", "d.txt/", "**/", "/**", "!", "***"]
    rng = random.Random(seed)
    folders = [folder]
    for _ in range(8):
        child = rng.choice(folders) / rng.choice(["a", "b", "c", "x", "build"])
        if not child.exists():
            child.mkdir()
            folders.append(child)
    for place in folders:
        for name in ("a.txt", "b.txt", "d.txt", "k.log", "keep.log", "x", "!x"):
            if rng.random() < 0.6 and not (place / name).exists():
                (place / name).touch()
        if rng.random() < 0.5:
            (place / ".gitignore").write_text("\n".join(rng.sample(patterns, rng.randint(1, 5))))
    subprocess.run(["git", "init", "-q"], check=True)
    listing = ["git", "ls-files", "-z", "--others", "--exclude-per-directory=.gitignore"]
    listed = subprocess.run(listing, check=True, capture_output=True, text=True).stdout.split("\0")[:-1]
    try:
        read = names(Context.from_files("."))
    except ContextError:
        read = []
    assert sorted(read) == sorted(listed)


def test_binary_files_are_left_out_and_counted() -> None:
    write({"docs/a.md": "a", "docs/b.png": b"\x89PNG\0\0", "docs/late": b"x" * 8191 + b"\0"})
    context = Context.from_files("docs")
    assert names(context) == ["a.md"]
    assert context.skipped == Skipped(binary_files=2)


def test_binary_file_that_is_named_itself_is_refused() -> None:
    write({"b.png": b"\x89PNG\0\0", "a.md": "a"})
    with pytest.raises(ContextError, match=r"b\.png' is a binary file"):
        Context.from_files("a.md", "b.png")


def test_folder_with_nothing_but_binary_files_is_refused() -> None:
    write({"docs/b.png": b"\0"})
    with pytest.raises(ContextError, match=r"All files are binary, .*b\.png"):
        Context.from_files("docs")


def test_undecodable_bytes_are_replaced_one_by_one_and_reported() -> None:
    write({"a": b"caf\xe9 \xff\xfe", "b": "fine \ufffd é", "c": b"\xed\xa0\x80 \xe2\x82 \xef\xbf\xbd"})
    context = Context.from_files("a", "b", "c")
    assert context.documents() == ["caf\ufffd \ufffd\ufffd", "fine \ufffd é", "\ufffd\ufffd\ufffd \ufffd\ufffd \ufffd"]
    assert [document["undecodable_bytes"] for document in context.metadata] == [3, 0, 5]
    assert context.skipped == Skipped(undecodable_bytes=8)


def test_line_endings_stay_and_the_byte_order_mark_goes() -> None:
    write({"a": b"\xef\xbb\xbfone\r\ntwo\rthree\n", "b": b"\xef\xbb\xbf\xff"})
    assert Context.from_files("a", "b").documents() == ["one\r\ntwo\rthree\n", "\ufffd"]


def test_empty_files_are_documents() -> None:
    write({"docs/__init__.py": "", "docs/a.py": "a"})
    context = Context.from_files("docs")
    assert context.documents() == ["", "a"]
    assert Context.from_files("docs/__init__.py").empty


@pytest.mark.parametrize("path", ["missing.txt", "", "missing/a.txt", "a.txt/b", "a\0b"])
def test_path_that_does_not_exist_is_refused_by_name(path: str) -> None:
    write({"a.txt": ""})
    with pytest.raises(ContextError) as raised:
        Context.from_files(path)
    assert repr(path) in str(raised.value)
    assert "Check the path" in str(raised.value)


@pytest.mark.parametrize("path", ["*.rst", "missing/*.md", "empty", "ignored/**", "empty/*"])
def test_path_that_matches_nothing_is_refused_by_name(path: str) -> None:
    write({"a.md": "", "ignored/.gitignore": "*", "ignored/a.md": ""})
    Path("empty").mkdir()
    with pytest.raises(ContextError) as raised:
        Context.from_files("a.md", path)
    assert repr(path) in str(raised.value)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that cannot be read, even by root")
def test_unreadable_file_is_refused_by_name() -> None:
    with pytest.raises(ContextError, match="'/proc/self/mem' cannot be read: Input/output error"):
        Context.from_files("/proc/self/mem")


def test_no_path_is_refused() -> None:
    with pytest.raises(ContextError, match=r"No path was given\. Name a file"):
        Context.from_files()
    with pytest.raises(ContextError, match=r"No path was given\. Name a file"):
        Context.from_files([])
    with pytest.raises(ContextError, match=r"No path was given\. Name a file"):
        Context.from_files(Path("missing").glob("*.md"))


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (["a.txt", ["a.txt"]], "list"),
        ([["a.txt"], "a.txt"], "list"),
        ([["a.txt", ["a.txt"]]], "list"),
        ([["a.txt", 3]], "int"),
        ([["a.txt", None]], "NoneType"),
        ([3], "int"),
        ([None], "NoneType"),
        ([b"a.txt"], "bytes"),
        ([[b"a.txt"]], "bytes"),
        ([list(os.scandir(b"/"))], "bytes"),
        ([Context.of("a.txt")], "Context"),
    ],
)
def test_what_is_neither_paths_nor_one_list_of_them_is_refused(given: list[Any], kind: str) -> None:
    write({"a.txt": ""})
    with pytest.raises(ContextError, match=f"A path is of type {kind}, .* Give several paths, or one list of them"):
        Context.from_files(*given)


def test_progress_goes_from_nothing_to_everything() -> None:
    write({"docs/a": "12345", "docs/b": b"\0\0", "docs/c": "678"})
    seen: list[Progress] = []
    Context.from_files("docs", on_progress=seen.append)
    assert [(step.bytes_read, step.files_read) for step in seen] == [(0, 0), (5, 1), (7, 2), (10, 3)]
    assert {(step.bytes_total, step.files_total) for step in seen} == {(10, 3)}


def test_stored_form_of_files_has_no_text_and_gives_an_equal_context(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write({"docs/a": "the text é", "docs/b": b"\xef\xbb\xbf\xff", "docs/c": b"\0"})
    context = Context.from_files("docs")
    assert "the text" not in json.dumps(context.to_state())
    write({"elsewhere/x": ""})
    monkeypatch.chdir(folder / "elsewhere")
    assert through_checkpoint(context) == context


@pytest.mark.skipif(sys.platform != "linux", reason="needs file names of any bytes")
def test_file_name_that_is_no_text_survives_a_checkpoint() -> None:
    Path("docs").mkdir()
    Path(os.fsdecode(b"docs/caf\xe9 %41.txt")).write_text("x")
    context = Context.from_files("docs")
    assert names(context) == ["caf\ufffd %41.txt"]
    assert through_checkpoint(context) == context


def test_file_that_changed_or_went_missing_is_a_clear_error_on_resume() -> None:
    write({"a.txt": "before", "b.txt": "b"})
    state = Context.from_files("a.txt", "b.txt").to_state()
    write({"a.txt": "afterr"})
    with pytest.raises(
        ContextError, match=r"a\.txt' has changed since the run began\. Restore it, or start a new thread"
    ):
        Context.from_state(state)
    Path("a.txt").unlink()
    with pytest.raises(ContextError, match=r"a\.txt' cannot be read again: No such file.*Restore it, or start a new"):
        Context.from_state(state)
    write({"a.txt": "before"})
    assert Context.from_state(state).text == "before\n\nb"
