"""The nodes of the graph, one in a file of its name, and what several of them share.

A node reads the state, yields effects and gives an update: it holds nothing. It must not know the other nodes but by
name, nor how it is compiled.
"""
