"""The command line: `langgraph-rlm ask`, `langgraph-rlm demo`."""

from langgraph_rlm.cli.app import main

__all__ = ["main"]
