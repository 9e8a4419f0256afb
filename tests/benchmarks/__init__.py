"""Benchmarks: each figure beside its peers' in the same run. ``python -m tests.benchmarks`` runs them."""
