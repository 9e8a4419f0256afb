"""The parts that screens are made of.

May import `observer.drawing` and what lies below it.
"""
