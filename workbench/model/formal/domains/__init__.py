"""Finite domains: which values a field may have, and how they are held while a model is explored."""
