"""Which way a question goes: by profile and size, by what earlier runs have shown, or answered by code alone.

It decides and explains. It must not know the graph whose nodes it names, nor call a model.
"""
