"""Tracing: what goes on between some processes of a node, message by message, while an observer follows it.

May import events, reading and threads.
"""
