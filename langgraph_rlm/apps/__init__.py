"""How RLMs stand in apps of others: as a tool of an agent.

It calls RLMs as anybody may. It must not know what they are made of: their graph, their runs, their state.
"""
