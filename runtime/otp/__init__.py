"""Servers, calls, system messages, registries and agents.

May import `runtime.kernel` and what lies below it.
"""
