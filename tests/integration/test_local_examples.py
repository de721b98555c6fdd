"""The examples with the local model, as their users run them first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("xllamacpp")
pytestmark = pytest.mark.local_model

ROOT = Path(__file__).parents[2]
ANSWERS = {
    "chat_app": "1539",
    "tool": "286",
    "middleware": "231",
    "supervisor_worker": "223",
    "deep_agent": "501",
    "mcp_tools": "1500",
}


@pytest.mark.parametrize("name", ANSWERS)
def test_example_ends_with_the_right_answer(name: str) -> None:
    ran = subprocess.run(
        [sys.executable, f"examples/{name}.py"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert ran.returncode == 0, ran.stderr
    assert ANSWERS[name] in ran.stdout
