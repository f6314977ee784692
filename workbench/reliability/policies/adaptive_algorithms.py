"""How an adaptive limit finds its limit: the algorithms of Netflix's concurrency-limits, and its defaults.

==========  ====================  ======================================================================
algorithm   learns from           good for
==========  ====================  ======================================================================
gradient2   round-trip times      servers and clients with all kinds of calls: needs no idea of a good time
vegas       the shortest of them  calls that all take about as long: finds the queue itself
aimd        drops and time-outs   callees that say no, or calls with a known time-out
==========  ====================  ======================================================================
"""

from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal, TypeAlias

from workbench.reliability.machines import aimd, gradient2, vegas
from workbench.reliability.policies._arguments import check_count, check_seconds, check_share
from workbench.reliability.policy import PolicyError

__all__ = [
    "AIMD",
    "Algorithm",
    "AlgorithmName",
    "Gradient2",
    "Vegas",
]

AlgorithmName = Literal["gradient2", "vegas", "aimd"]


@dataclass(frozen=True, slots=True)
class Gradient2:
    """From how much slower calls are than usual; see `machines.gradient2`.

    Attributes
    ----------
    initial, minimum, maximum : int
        The limit to begin with, and its bounds.
    tolerance : float
        How many times as slow as usual is still usual.
    smoothing : float
        The weight of the newest estimate.
    queue : float
        How many calls may queue.
    long_window, warmup : int
        Samples of the long average, and of the plain mean that it begins with.
    """

    machine: ClassVar[Any] = gradient2

    initial: int = 20
    minimum: int = 20
    maximum: int = 200
    tolerance: float = 1.5
    smoothing: float = 0.2
    queue: float = 4.0
    long_window: int = 600
    warmup: int = 10

    def __post_init__(self) -> None:
        _check_bounds(self)
        check_share("smoothing", self.smoothing)
        check_count("long_window", self.long_window)
        check_count("warmup", self.warmup)
        if not 1.0 <= self.tolerance < float("inf"):
            msg = f"tolerance is {self.tolerance!r}, expected 1 or more: how many times slower is still usual"
            raise PolicyError(msg)
        if not 0.0 < self.queue < float("inf"):
            msg = f"queue is {self.queue!r}, expected more than 0: without it no limit grows"
            raise PolicyError(msg)

    def begin(self, u: float) -> tuple[gradient2.Parameters, gradient2.State]:  # noqa: ARG002 - as all algorithms
        """Return the machine's records."""
        parameters = gradient2.Parameters(
            self.minimum,
            self.maximum,
            float(self.tolerance),
            float(self.smoothing),
            float(self.queue),
            self.long_window,
            self.warmup,
        )
        return parameters, gradient2.State(float(self.initial))


@dataclass(frozen=True, slots=True)
class Vegas:
    """From how many calls queue at the callee; see `machines.vegas`.

    Attributes
    ----------
    initial, minimum, maximum : int
        The limit to begin with, and its bounds.
    alpha, beta : int
        Between these multiples of log10(limit) a queue is good.
    smoothing : float
        The weight of the newest estimate.
    probe : int
        The shortest time is taken anew about every `probe` times `limit` samples.
    """

    machine: ClassVar[Any] = vegas

    initial: int = 20
    minimum: int = 1
    maximum: int = 1000
    alpha: int = 3
    beta: int = 6
    smoothing: float = 1.0
    probe: int = 30

    def __post_init__(self) -> None:
        _check_bounds(self)
        check_share("smoothing", self.smoothing)
        check_count("probe", self.probe)
        check_count("alpha", self.alpha)
        check_count("beta", self.beta, least=self.alpha)

    def begin(self, u: float) -> tuple[vegas.Parameters, vegas.State]:
        """Return the machine's records; the random number says when it probes first."""
        parameters = vegas.Parameters(
            self.minimum, self.maximum, self.alpha, self.beta, float(self.smoothing), self.probe
        )
        state = vegas.State(float(self.initial))
        vegas.begin(state, u)
        return parameters, state


@dataclass(frozen=True, slots=True)
class AIMD:
    """From drops: one more while there are none, a share less when there is one; see `machines.aimd`.

    Attributes
    ----------
    initial, minimum, maximum : int
        The limit to begin with, and its bounds.
    backoff : float
        By what the limit is multiplied at a drop, 0.5 to 1.
    timeout_s : float
        A call that takes longer counts as dropped.
    """

    machine: ClassVar[Any] = aimd

    initial: int = 20
    minimum: int = 20
    maximum: int = 200
    backoff: float = 0.9
    timeout_s: float = 5.0

    def __post_init__(self) -> None:
        _check_bounds(self)
        check_seconds("timeout_s", self.timeout_s, endless=True)
        if not 0.5 <= self.backoff < 1.0:
            msg = f"backoff is {self.backoff!r}, expected at least 0.5 and less than 1"
            raise PolicyError(msg)

    def begin(self, u: float) -> tuple[aimd.Parameters, aimd.State]:  # noqa: ARG002 - as all algorithms
        """Return the machine's records."""
        parameters = aimd.Parameters(self.minimum, self.maximum, float(self.backoff), float(self.timeout_s))
        return parameters, aimd.State(float(self.initial))


Algorithm: TypeAlias = Gradient2 | Vegas | AIMD
KINDS: dict[str, type[Gradient2] | type[Vegas] | type[AIMD]] = {
    "gradient2": Gradient2,
    "vegas": Vegas,
    "aimd": AIMD,
}


def algorithm_of(named: AlgorithmName | Algorithm, options: dict[str, Any]) -> Algorithm:
    """Return an algorithm by its name and options.

    Raises
    ------
    PolicyError
        When there is none of that name, or it has no such option, or one is out of range.
    """
    if isinstance(named, Gradient2 | Vegas | AIMD):
        if options:
            msg = f"{', '.join(options)}: options go to {type(named).__name__}(...), or with a name"
            raise PolicyError(msg)
        return named
    if named not in KINDS:
        msg = f"algorithm is {named!r}, expected one of {', '.join(map(repr, KINDS))}"
        raise PolicyError(msg)
    known = [field.name for field in fields(KINDS[named])]
    unknown = sorted(options.keys() - set(known))
    if unknown:
        msg = f"{named} has no option {', '.join(map(repr, unknown))}; it has {', '.join(known)}"
        raise PolicyError(msg)
    return KINDS[named](**options)


def _check_bounds(algorithm: Algorithm) -> None:
    check_count("minimum", algorithm.minimum)
    check_count("maximum", algorithm.maximum, least=algorithm.minimum)
    check_count("initial", algorithm.initial)
    if not algorithm.minimum <= algorithm.initial <= algorithm.maximum:
        bounds = f"{algorithm.minimum} to {algorithm.maximum}"
        msg = f"initial is {algorithm.initial}, expected {bounds}, as minimum and maximum"
        raise PolicyError(msg)
