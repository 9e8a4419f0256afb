"""Text: figures, units, bars, literals, and names made safe to show.

May import `runtime.introspection.wire` and nothing else of the observer.
"""
