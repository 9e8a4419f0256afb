"""Chaos: choosing victims, killing them, and keeping count of what came back.

May import `observer.node` and what lies below it; never Textual.
"""
