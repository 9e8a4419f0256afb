"""Supervisors of all kinds, and their parts: the restart window, the child record, the ways to keep children.

May import `runtime.otp` and what lies below it.
"""

from runtime.compiled.choice import kernel

kernel.load()  # of which some modules of this package are a part, where it is compiled
