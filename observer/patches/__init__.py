"""Places where Textual is extended by replacing something inside it, each with the reason.

May import `observer.text`.
"""
