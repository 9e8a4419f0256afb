"""Values: what travels in messages, what matches, how it is shown, what is raised.

May import the standard library, gevent and msgspec, and the choice of the kernel in `runtime.compiled`.
"""
