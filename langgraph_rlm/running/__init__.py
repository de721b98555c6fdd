"""What one run holds live, what the RLM at one depth is made of, and what a run is asked.

Whatever is here can be had again from the state. It knows the sandbox, the ledger and the prompts as values to hold; it
must not know the nodes, nor in which order they come.
"""
