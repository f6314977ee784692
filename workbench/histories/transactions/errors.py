"""What is wrong with transactions from which no dependencies can be inferred."""

from workbench.histories.errors import HistoryError

__all__ = ["TransactionError"]


class TransactionError(HistoryError, ValueError):
    """Raised when transactions, columns or version orders do not fit together; says which, and what would."""
