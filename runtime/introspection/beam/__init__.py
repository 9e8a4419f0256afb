"""Observing a BEAM node: a program of its own that speaks distribution with it, and our protocol with observers.

Nothing is installed on the node. It is asked for what its own functions tell, in chunks, and in at most a stated share
of the time. What they do not tell is left out.

May import all of `runtime.introspection` but the ways to start a program.
"""
