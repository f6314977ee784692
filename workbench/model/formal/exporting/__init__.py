"""A model as text for other model checkers: Promela for SPIN, TLA+ for TLC."""
