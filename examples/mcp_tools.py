"""An RLM whose code calls the tools of an MCP server, which this file is too.

Run: pip install langchain-mcp-adapters; python examples/mcp_tools.py
"""

import asyncio
import sys
from typing import Any

from langchain_mcp_adapters.client import MultiServerMCPClient
from mcp.server.fastmcp import FastMCP
from mcp.types import ToolAnnotations

from langgraph_rlm import create_rlm

PRICES = {"apple": 0.5, "pear": 0.75}
ORDERS = "\n".join(f"order {i}: {i % 5 + 1} x {'apple' if i % 3 else 'pear'}" for i in range(2_000))

shop = FastMCP("shop", log_level="WARNING")


@shop.tool(annotations=ToolAnnotations(readOnlyHint=True))
def price(article: str) -> float:
    """The price of one piece of an article, in euros."""
    return PRICES[article]


async def answer(model: Any) -> Any:
    """What the RLM says, with the server's tools as functions in its REPL."""
    server = {"transport": "stdio", "command": sys.executable, "args": [__file__, "serve"]}
    tools = await MultiServerMCPClient({"shop": server}).get_tools()  # type: ignore[dict-item]
    rlm = create_rlm(model, tools=tools, instructions="Prices are not in the text: call `price`.")
    result = await rlm.ainvoke({"query": "What do all pears of these orders cost together?", "context": ORDERS})
    return result["answer"]


if __name__ == "__main__":
    if "serve" in sys.argv:
        shop.run()
    else:
        print(asyncio.run(answer("local")))
