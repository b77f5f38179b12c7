"""Benchmarks: they print figures and ratios, and judge nothing."""
