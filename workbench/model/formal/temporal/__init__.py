"""Temporal properties: of whole behaviours, in linear time (LTL), and of branching futures (CTL)."""
