"""Python that runs inside the sandbox, before the first cell: the functions of the REPL.

It is read as text and never imported by the host, `answers` alone excepted, which both sides need. It must not know
anything of this package, and uses only what Monty understands.
"""
