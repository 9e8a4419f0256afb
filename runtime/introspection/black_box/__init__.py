"""Black boxes: one file with all that can be seen of a node, written when it ends abnormally, hangs, or is asked.

May import `runtime.introspection.answers` and what lies below it, and `runtime.boot`.
"""
