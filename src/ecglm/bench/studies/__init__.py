"""Benchmarks that are no lists of questions: each module has one `run` that returns a `Study`."""
