"""Recordings: what a node said over time, in a file or in memory, so that the same questions can be answered later.

A black box is a recording of one moment, taken when a node ends or hangs. Both sides of the wire use this package: it
may import `runtime.introspection.wire` and the standard library.
"""
