"""Models: systems written down, and checked."""
