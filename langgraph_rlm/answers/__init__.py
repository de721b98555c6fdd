"""What an answer may be: plain data, a value that satisfies a schema, a quote that stands in the text.

Pure functions over values. It must not know who gave the answer, nor what becomes of it.
"""
