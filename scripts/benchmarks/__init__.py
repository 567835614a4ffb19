"""Benchmarks: real processes against the simulator, judged by its counts. `scripts/bench NAME`."""
