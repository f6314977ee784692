"""Experiments with real clients and a real service on this machine, beside those that are simulated."""
