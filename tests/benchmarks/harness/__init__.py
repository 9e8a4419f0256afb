"""What the benchmarks have in common: fresh interpreters, medians, targets, tables."""
