"""Benchmarks: each figure beside those of its peers, from the same run. ``python -m tests.benchmarks`` runs them."""
