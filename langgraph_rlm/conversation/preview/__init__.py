"""What a text looks like, before anybody has read it: its documents, where it has the words of a question, records.

The host works this out, in a size that does not grow with the text. It must not know who is told.
"""
