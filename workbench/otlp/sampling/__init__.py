"""Sampling: which spans are kept, by which rule, and what the kept ones say about all."""
