"""What the model is told, and how its replies are read: prompts, history, and the dialects that models speak.

Everything is text in and values out, constant in size whatever the context. It must not know the graph, the state's
channels or how a model is called.
"""
