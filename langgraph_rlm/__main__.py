"""`python -m langgraph_rlm`: the command line."""

from langgraph_rlm.cli import main

main()
