"""Modules of the standard library that Monty lacks, in its own Python: loaded by the cell that imports one.

Each file is read as text and rewritten as a cell is. It must not know anything of this package but what cells may use.
"""
