"""The code in the documentation runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import ScriptedModel, cell
from tests.servers import Asked, Reply, serving

DOCS = Path(__file__).parents[2] / "docs"
BLOCKS = [
    pytest.param(block, id=f"{page.stem} {number}")
    for page in sorted(DOCS.glob("*.md"))
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), re.S), 1)
]


CONFIGURED = {
    "OPENAI_API_KEY": "none",
    "AZURE_OPENAI_ENDPOINT": "http://localhost:1",
    "OPENAI_API_VERSION": "2024-10-21",
    "ANTHROPIC_API_KEY": "none",
    "GOOGLE_API_KEY": "none",
    "TALKER_KEY": "none",
}


def talk(asked: Asked) -> Reply:
    """The API of the page on providers: an RLM gets a cell that asks it forty prompts."""
    is_code = asked.body["turns"][0]["speaker"] == "rules"
    return Reply({"says": cell("Final = len(llm_batch(['?'] * 40))") if is_code else "yes", "tokens": [9, 1]})


@pytest.mark.parametrize("block", BLOCKS)
def test_code_in_the_docs_runs(
    block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(tmp_path)
    if "DATABASE_URL" in block:
        monkeypatch.setenv("DATABASE_URL", request.getfixturevalue("postgres_url"))
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    for name, value in CONFIGURED.items():
        monkeypatch.setenv(name, value)
    answers = "answers = llm_batch([f'{i}' for i in range(60)])\nFinal = sum('Error' in answer for answer in answers)"
    script = {"cite(quote)": [cell("cite('order 1 is late')\nFinal = 1")], "": [cell(answers)]}
    names: dict[str, Any] = {"model": ScriptedModel(script=script), "text": "order 1 is late\n" * 1_000}
    with serving(talk) as server:
        monkeypatch.setenv("TALKER_URL", server.url)
        exec(block, names)
    if "output" in names:
        assert names["output"]["answer"] == 40
