"""The console: Python that a person types, evaluated in the node by a process of its own.

Its modules may import `runtime.introspection.reading` and what lies below it.
"""
