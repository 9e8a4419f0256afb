"""Watching a node from outside: hooks, the event log, snapshots, and the endpoint that serves them."""
