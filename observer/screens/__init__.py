"""The screens: one a view, and the dialogs in front of them. Each has its styles in a file beside it.

May import `observer.widgets`, `observer.output` and what lies below them.
"""
