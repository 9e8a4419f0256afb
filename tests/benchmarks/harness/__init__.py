"""The parts that the benchmarks share: fresh interpreters, medians, targets, tables."""
