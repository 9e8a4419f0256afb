"""Sentences, columns and lines as Rich text, ready for a widget or a table.

May import `observer.model`, `observer.chaos` and what lies below them.
"""
