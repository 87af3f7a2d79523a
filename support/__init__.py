"""Code shared by tests and benchmarks."""
