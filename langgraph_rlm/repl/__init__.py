"""The sandbox: a Python REPL over the text, in worker processes of Monty, that can be suspended, stored and had again.

The code in it is hostile, and so is all that comes out of it. It must not know models, the graph or the checkpointer: a
call that it cannot answer itself is a value that it hands up.
"""
