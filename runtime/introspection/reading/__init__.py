"""Reading the node: trees, lists, filters, orders and rows of processes.

May import `runtime.introspection.threads` and what lies below it.
"""
