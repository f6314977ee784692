"""Traces held against a model: whether it has a behaviour that shows what was recorded."""
