"""Which machine is a model: bits, sequences, or a table of what its own step says."""

from workbench.histories._columns import Columns
from workbench.histories.models.model import SequentialModel
from workbench.histories.models.sequences import Queue, Stack
from workbench.histories.search.automaton import Automaton
from workbench.histories.search.coding import bit_machine
from workbench.histories.search.machine import Machine, UncodableError
from workbench.histories.search.sequences import SequenceMachine

__all__ = ["machine_of"]


def machine_of(model: SequentialModel, columns: Columns) -> Machine:
    """Return the fastest machine that is a model, under the operations of a history."""
    native = SequenceMachine if type(model) in (Queue, Stack) else bit_machine
    try:
        return native(model, columns)
    except UncodableError:
        return Automaton(model, columns)
