"""One request, from budget to answer: what is asked, what that may spend, who answers, what becomes of it.

It knows models, tools, caches and limits. It must not know the code that asks, nor the graph that it waits in.
"""
