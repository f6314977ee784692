"""Which bits of the state an action or a property reads and writes, found while it is translated."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from workbench.model.formal._models import Specification
from workbench.model.formal.compiling.frames import Program
from workbench.model.formal.compiling.functions import write_function
from workbench.model.formal.compiling.layouts import StateLayout
from workbench.model.formal.compiling.programs import GRAMMAR
from workbench.model.formal.compiling.values import Constant, State

__all__ = ["Footprint", "footprints"]


@dataclass(frozen=True)
class Footprint:
    """Bits of the packed state as whole numbers: those that are read, and those that are written."""

    reads: int
    writes: int

    @cached_property
    def touches(self) -> int:
        """All of them."""
        return self.reads | self.writes


def footprints(declared: Specification) -> tuple[list[Footprint], int]:
    """Return what each action instance reads and writes, and what the properties read.

    Raises
    ------
    NotCompilableError
        When a function of the model cannot be written for the machine: then nobody knows.
    """
    layout = StateLayout(dict(declared.fields))
    of_instances = [
        _footprint(
            declared, layout, each.action.function, [State("w"), *map(Constant, each.arguments.values())]
        )
        for each in declared.instances
    ]
    seen = 0
    for member in declared.members:
        if member.kind in ("invariant", "constraint"):  # deadlocks, terminal or not, are kept anyway
            seen |= _footprint(declared, layout, member.function, [State("w", fixed=True)]).reads
    return of_instances, seen


def _footprint(declared: Specification, layout: StateLayout, function: Any, worths: list[Any]) -> Footprint:
    assert GRAMMAR  # noqa: S101 - imported for what it declares
    program = Program(layout, declared.model)
    judged = worths[0].fixed
    write_function(program, "asked", function, worths, None if judged else "w", judged=judged)
    return Footprint(program.read, program.written)
