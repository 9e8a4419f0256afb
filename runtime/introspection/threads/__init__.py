"""Working beside the hub: reading records that change meanwhile, and having the hub's thread do something.

May import `runtime.kernel`, `runtime.introspection.wire` and what lies below them.
"""
