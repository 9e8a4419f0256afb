"""Figures that are measured over time: processor time, memory, sockets, counters.

May import `runtime.introspection.reading` and what lies below it.
"""
