"""What the observer remembers of a node: rows, events, series, the selection, settings.

May import `observer.node` and what lies below it; never Textual.
"""
