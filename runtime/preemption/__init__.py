"""Finding out which process holds the hub, and making it let go.

May import `runtime.kernel` and what lies below it.
"""
