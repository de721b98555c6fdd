"""An RLM whose code calls the tools of an MCP server, which this file is too.

Run: pip install langchain-mcp-adapters; python examples/mcp_tools.py
"""

import asyncio
import sys
from typing import Any

from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools
from mcp.server.fastmcp import FastMCP
from mcp.types import ToolAnnotations

from langgraph_rlm import create_rlm

PRICES = {"apple": 0.5, "pear": 0.75}
ORDERS = "\n".join(f"order={i} pieces={i % 5 + 1} article={'apple' if i % 3 else 'pear'}" for i in range(2_000))

shop = FastMCP("shop", log_level="WARNING")


@shop.tool(annotations=ToolAnnotations(readOnlyHint=True))
def price(article: str) -> float:
    """The price of one piece of an article, in euros."""
    return PRICES[article]


async def answer(model: Any) -> Any:
    """What the RLM says, with the server's tools as functions in its REPL."""
    server = {"transport": "stdio", "command": sys.executable, "args": [__file__, "serve"]}
    client = MultiServerMCPClient({"shop": server})  # type: ignore[dict-item]
    async with client.session("shop") as session:  # else each call starts a server of its own
        tools = await load_mcp_tools(session)
        rlm = create_rlm(model, tools=tools, instructions="Prices are not in the text: call `price`.")
        # As plain as a small model needs it. A large one knows what all pears "cost together".
        query = "What is the sum of pieces * price(article) over all orders of pears?"
        result = await rlm.ainvoke({"query": query, "context": ORDERS})
    return result["answer"]


if __name__ == "__main__":
    if "serve" in sys.argv:
        shop.run()
    else:
        print(asyncio.run(answer("local")))
