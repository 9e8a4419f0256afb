"""Recorded nodes: a recording answers the questions that a node answers, so that everything that shows a node shows it.

May import the wire, `runtime.introspection.recording`, the language of filters, and the modules beside this folder.
"""
