"""Commands: each is read into an order first, which is then carried out. A read-only node refuses them all.

May import what `runtime.introspection.answers` may.
"""
