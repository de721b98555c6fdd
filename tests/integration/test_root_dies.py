"""The server of a root is killed while the children of it run on another one."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from langgraph_sdk import get_client

from tests.integration.langgraph_server import DevServer, Model, playing
from tests.integration.test_remote_child import ASKED, ONE_BY_ONE, leaves


async def test_root_that_dies_finds_its_children_again_and_nothing_is_asked_twice(tmp_path: Path) -> None:
    root = Model(cells=["r = rlm_query_batched(['child a', 'child b'])", "Final = r"])
    with (
        playing(Model(cells=["Final = 1"], child=ONE_BY_ONE, answer=str.upper, open="two ONE")) as model,
        playing(root),
    ):
        below = DevServer(tmp_path / "below", model, settings={"RLM_MODEL": "openai:fake"})
        above = DevServer(tmp_path / "above", root)
        try:
            below.start()
            above.settings = {"RLM_MODEL": "openai:fake", "RLM_CHILDREN": below.url}
            above.start()
            async with get_client(url=above.url, api_key=None) as client:
                thread = (await client.threads.create())["thread_id"]
                await client.runs.create(thread, "rlm", input={**ASKED, "profile": "rlm"})
                assert await asyncio.to_thread(model.is_open.wait, 60)
                model.open = ""
                above.end()
                above.start()
                await client.threads.create(thread_id=thread, if_exists="do_nothing")
                out: Any = await client.runs.wait(thread, "rlm", input=None)
        finally:
            above.end()
            below.end()
    assert [json.loads(answer) for answer in out["answer"]] == [[f"child {x}", "ONE", "TWO ONE"] for x in "ab"]
    assert leaves(model).count("one") == 2
    assert len(root.asked) == 2
