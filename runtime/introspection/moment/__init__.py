"""A node at one moment, as rows: what it answers to each question, for recordings and for nodes that are read in looks.

May import the wire and what filters are read with, and nothing else: both sides of the wire use it.
"""
