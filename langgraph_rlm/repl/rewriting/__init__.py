"""A cell as Monty understands it: what Monty lacks is written out before the cell runs, and what cannot be is told.

Lines keep their numbers, so errors are in the model's own words. It knows the text of a cell, and must not know
the session, its variables or any answer. What is written calls functions of `repl/python/`.
"""
