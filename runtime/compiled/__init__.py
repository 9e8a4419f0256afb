"""The compiled kernel: which parts of the runtime it replaces, and whether they are used.

``python -m runtime.build`` writes it into this folder. May import the standard library and nothing of the runtime.
"""
