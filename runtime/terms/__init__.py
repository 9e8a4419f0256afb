"""Values: what travels in messages, what matches, how it is shown, what is raised.

May import the standard library, gevent and msgspec, and nothing else of the runtime.
"""
