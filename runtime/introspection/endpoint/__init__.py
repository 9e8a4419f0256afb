"""The socket that observers connect to, and what is said over it.

May import `runtime.introspection.threads`, `runtime.introspection.wire` and what lies below them.
"""
