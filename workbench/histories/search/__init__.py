"""The search for an order of operations: lanes, a compiled table of transitions, two engines."""
