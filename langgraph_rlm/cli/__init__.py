"""The command line: `langgraph-rlm ask`, `resume`, `runs`, `forget`, `demo`.

It runs the package as any app does, by `create_rlm`, its state and its events, and nothing in the package knows it.
"""

from langgraph_rlm.cli.app import main

__all__ = ["main"]
