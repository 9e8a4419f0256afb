"""The answers to an observer's questions, and the carrying out of its commands: one module for each.

May import `runtime.introspection.events`, `runtime.introspection.measuring`, `runtime.introspection.endpoint` and what
lies below them.
"""
