"""Histories of concurrent operations, recorded or simulated, and whether any correct object explains them.

::

    Operation(process, call_s, return_s, input, output)   what one process asked, and was told
    History(operations)                    .record() real ones; .from_traces() and .to_traces() spans
    linearizable(history, model) -> Verdict               is there an order that explains it? draws itself
    shrink(history, model) -> History                     the smallest part that still has none
    sequentially_consistent(history, model) -> Verdict    the same, keeping only each process's own order
    Register, KeyValue, Counter, Set, Queue, Stack, Lock  models; Model(step, initial) is one of your own
    isolation(history, level) -> IsolationVerdict         how isolated were transactions? cycles explain it
    Transactions, transaction(...)         columns of millions of them; one as an operation
"""

from typing import TYPE_CHECKING

from workbench._lazy import lazy_names

if TYPE_CHECKING:
    from workbench.histories.errors import (
        HistoryError,
        MappingError,
        ModelError,
        OperationError,
        RecordingError,
    )
    from workbench.histories.history import History
    from workbench.histories.linearizability import Engine, linearizable, sequentially_consistent
    from workbench.histories.models.counting import Counter, Lock, Set
    from workbench.histories.models.model import Model, SequentialModel
    from workbench.histories.models.registers import KeyValue, Register
    from workbench.histories.models.sequences import Queue, Stack
    from workbench.histories.operation import NIL, Nil, Operation
    from workbench.histories.recorder import RecordedOperation, Recorder
    from workbench.histories.shrinking import Removed, shrink
    from workbench.histories.transactions.anomalies import Anomaly, Dependency
    from workbench.histories.transactions.building import transaction
    from workbench.histories.transactions.checking import isolation
    from workbench.histories.transactions.columns import Fate, MicroOperation, Transactions
    from workbench.histories.transactions.errors import TransactionError
    from workbench.histories.transactions.levels import IsolationLevel, isolation_levels
    from workbench.histories.transactions.store import (
        StoreTransaction,
        TransactionAbortedError,
        TransactionStore,
    )
    from workbench.histories.transactions.verdict import IsolationVerdict
    from workbench.histories.transactions.workloads import run_workload
    from workbench.histories.verdict import Verdict

__all__ = [
    "NIL",
    "Anomaly",
    "Counter",
    "Dependency",
    "Engine",
    "Fate",
    "History",
    "HistoryError",
    "IsolationLevel",
    "IsolationVerdict",
    "KeyValue",
    "Lock",
    "MappingError",
    "MicroOperation",
    "Model",
    "ModelError",
    "Nil",
    "Operation",
    "OperationError",
    "Queue",
    "RecordedOperation",
    "Recorder",
    "RecordingError",
    "Register",
    "Removed",
    "SequentialModel",
    "Set",
    "Stack",
    "StoreTransaction",
    "TransactionAbortedError",
    "TransactionError",
    "TransactionStore",
    "Transactions",
    "Verdict",
    "isolation",
    "isolation_levels",
    "linearizable",
    "run_workload",
    "sequentially_consistent",
    "shrink",
    "transaction",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Anomaly": "transactions.anomalies",
        "Counter": "models.counting",
        "Dependency": "transactions.anomalies",
        "Engine": "linearizability",
        "Fate": "transactions.columns",
        "History": "history",
        "HistoryError": "errors",
        "IsolationLevel": "transactions.levels",
        "IsolationVerdict": "transactions.verdict",
        "KeyValue": "models.registers",
        "Lock": "models.counting",
        "MappingError": "errors",
        "MicroOperation": "transactions.columns",
        "Model": "models.model",
        "ModelError": "errors",
        "NIL": "operation",
        "Nil": "operation",
        "Operation": "operation",
        "OperationError": "errors",
        "Queue": "models.sequences",
        "RecordedOperation": "recorder",
        "Recorder": "recorder",
        "RecordingError": "errors",
        "Register": "models.registers",
        "Removed": "shrinking",
        "SequentialModel": "models.model",
        "Set": "models.counting",
        "Stack": "models.sequences",
        "StoreTransaction": "transactions.store",
        "TransactionAbortedError": "transactions.store",
        "TransactionError": "transactions.errors",
        "TransactionStore": "transactions.store",
        "Transactions": "transactions.columns",
        "Verdict": "verdict",
        "isolation": "transactions.checking",
        "isolation_levels": "transactions.levels",
        "linearizable": "linearizability",
        "run_workload": "transactions.workloads",
        "sequentially_consistent": "linearizability",
        "shrink": "shrinking",
        "transaction": "transactions.building",
    },
)
