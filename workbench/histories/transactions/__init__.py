"""Transactions and how isolated they were: the dependencies between them, and their cycles."""
