"""The beginning and the end of a program: `run`, the orderly stop, and the signals that ask for it.

Its modules may import `runtime.otp`, `runtime.preemption` and what lies below them.
"""
