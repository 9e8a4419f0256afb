"""All nodes of a cluster as if they were one: their trees side by side, and their processes in one list.

May import the rest of `observer.node`, and nothing above it.
"""
