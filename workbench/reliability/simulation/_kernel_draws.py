"""Random numbers of calls in layers: the n-th that a call draws in a layer depends on nothing else."""

from typing import Any

from workbench.kernels.parts import inlined
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._kernel_random import uniform

__all__ = ["drawn_for_call"]


@inlined
def drawn_for_call(w: Any, call: Any, layer: Any) -> Any:
    """Return the next random number of a call in a layer: the first of call n is number 64 n + 1.

    Layers that are met again within an outer retry go on where they were.
    """
    this = w.calls[call]
    mine, before = w.scratch[this.root, layer], this.serial * 64
    mine.drawn = max(mine.drawn, before) + 1  # what is smaller is of a call that had this place before
    return uniform(w.service[0].seed, codes.JITTER + layer, mine.drawn)
