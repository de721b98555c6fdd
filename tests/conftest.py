"""What every test relies on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes import worker_processes
from tests.versions import installed

pytest_plugins = ["tests.postgres"]


def pytest_report_header() -> str:
    return f"tested with {installed()}"


@pytest.fixture(autouse=True)
def _no_worker_outlives_its_test() -> Iterator[None]:
    yield
    assert worker_processes() == []
