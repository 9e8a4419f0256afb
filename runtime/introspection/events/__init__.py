"""What happened: the event log, and greenlets that are no processes.

May import `runtime.introspection.reading` and what lies below it.
"""
