"""What the commands print and what is written to files: tables, JSON, exports.

May import `observer.drawing` and what lies below it.
"""
