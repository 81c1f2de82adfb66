"""Benchmarks: what is to be measured, what came of it, and what was measured before. Knows no network."""
