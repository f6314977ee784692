"""How long to wait before another attempt: constant, linear and exponential delays, with jitter.

The delay before retry n = 1, 2, ... grows as

    constant       raw(n) = delay
    linear         raw(n) = min(cap, base + step (n - 1))
    exponential    raw(n) = min(cap, base factor^(n - 1))

and a random number u from [0, 1) spreads the clients that failed together:

    none             raw
    full             u raw
    equal            raw / 2 + u raw / 2
    a share r        min(cap, raw (1 - r + 2 r u)), within r of raw on either side
    decorrelated     min(cap, base + u (3 previous - base)), previous at first base
    decorrelated_v2  min(cap, base / 1.4 f(n - 1 + u) - waited), waited = the sum of all delays before,
                     f(t) = factor^t tanh(sqrt(4 t))

Full, equal and decorrelated jitter are those of M. Brooker, Exponential Backoff and Jitter (AWS Architecture
Blog, 2015). Version 2 is that of Polly: the decorrelated kind has peaks where many clients meet at the cap,
this one has none; in the median its retries come about 1, 2, 4, ... times `base` after the first failure. A
share is what gRPC does when it connects (0.2), and Polly where the delay does not grow exponentially (0.25).
Defaults are those of the AWS SDKs' standard retry mode: 1 s, doubled up to 20 s, full jitter.
"""

import itertools
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Backoff", "BackoffError", "Constant", "Exponential", "Jitter", "Linear"]

Jitter: TypeAlias = Literal["none", "full", "equal", "decorrelated", "decorrelated_v2"] | float

SPREAD = ("none", "full", "equal")
HISTORICAL = ("decorrelated", "decorrelated_v2")
LONGEST_S = 1e9
REACH = 3.0  # how many times the previous delay decorrelated jitter may reach
STEEPNESS = 4.0
FIRST = 1.4  # scales the median of version 2's first delay to about `base_s`
LARGEST = 600.0  # logarithm of what is still multiplied without leaving the floats
PREVIEWS = 30


class BackoffError(WorkbenchError, ValueError):
    """Raised for delays that cannot be waited for, and for jitter that is not known."""


class Backoff:
    """What all delays have in common: a law `delay_s`, and previews of what it gives.

    Iterating gives delays forever, random but always the same ones; `delays_s` takes your own random numbers.
    """

    __slots__ = ()

    base_s: float
    cap_s: float
    jitter: Jitter

    def raw_s(self, retry: int) -> float:
        """Return the delay before retry 1, 2, ... without jitter, seconds."""
        raise NotImplementedError

    def delay_s(self, retry: int, u: float, previous_s: float = 0.0) -> float:  # noqa: ARG002 - some remember
        """Return the delay before a retry.

        Parameters
        ----------
        retry : int
            1 for the first.
        u : float
            A random number from [0, 1).
        previous_s : float
            What `following_s` returned after the last retry; 0 before the first.
        """
        return self._jittered_s(self.raw_s(retry), u)

    def following_s(self, previous_s: float, delay_s: float) -> float:
        """Return what the next delay must know of this one."""
        return previous_s + delay_s if self.jitter == "decorrelated_v2" else delay_s

    def delays_s(self, random_number: Callable[[], float]) -> Iterator[float]:
        """Yield the delays of one call, forever.

        Parameters
        ----------
        random_number : callable
            Returns numbers from [0, 1): the `random` of a `random.Random` or `numpy.random.Generator`.
        """
        previous_s = 0.0
        for retry in itertools.count(1):
            delay_s = self.delay_s(retry, random_number(), previous_s)
            yield delay_s
            previous_s = self.following_s(previous_s, delay_s)

    def __iter__(self) -> Iterator[float]:
        """Yield an example of the delays of one call, forever; the same each time."""
        return self.delays_s(random.Random(0).random)  # noqa: S311 - an example

    def plot(self, ax: "Axes | None" = None, *, retries: int = 8) -> "Axes":
        """Draw the delay without jitter, and the delays of 30 example calls.

        Raises
        ------
        BackoffError
            When `retries` is less than 1.
        """
        from workbench import display  # noqa: PLC0415 - pictures are drawn seldom

        if retries < 1:
            msg = f"retries is {retries}, expected at least 1"
            raise BackoffError(msg)
        numbers = range(1, retries + 1)
        ax = display.new_axes(ax)
        for seed in range(PREVIEWS if self.jitter != "none" else 0):
            spread = itertools.islice(self.delays_s(random.Random(seed).random), retries)  # noqa: S311 - examples
            ax.plot(
                numbers,
                list(spread),
                color="C0",
                linestyle="none",
                marker="o",
                markersize=4,
                alpha=0.35,
                label=f"{PREVIEWS} calls, jitter {self.jitter}" if seed == 0 else None,
            )
        raw = [self.raw_s(retry) for retry in numbers]
        ax.plot(numbers, raw, color="C1", linestyle="-", label="without jitter")
        ax.set(
            xlabel="retry",
            ylabel="delay (s)",
            title=f"{type(self).__name__} delays, {self.cap_s:g} s at most",
            xticks=list(numbers),
        )
        ax.set_ylim(bottom=0)
        ax.legend()
        return ax

    def _jittered_s(self, raw_s: float, u: float) -> float:
        if self.jitter == "none":
            return raw_s
        if self.jitter == "full":
            return u * raw_s
        if self.jitter == "equal":
            return 0.5 * raw_s + u * (0.5 * raw_s)
        share = float(self.jitter)
        return min(self.cap_s, raw_s * (1.0 - share + 2.0 * share * u))


@dataclass(frozen=True, slots=True)
class Constant(Backoff):
    """Always the same delay.

    Examples
    --------
    >>> Constant(0.5).delay_s(3, u=0.9)
    0.5
    """

    base_s: float = 1.0
    jitter: Jitter = "none"

    def __post_init__(self) -> None:
        _check_s("base_s", self.base_s, least=0.0)
        _check_jitter(self.jitter, SPREAD)

    @property
    def cap_s(self) -> float:  # type: ignore[override]
        """The longest delay, seconds: jitter may lengthen it by a share."""
        return self.base_s if isinstance(self.jitter, str) else self.base_s * (1.0 + self.jitter)

    def raw_s(self, retry: int) -> float:
        """Return the delay without jitter, seconds."""
        del retry
        return self.base_s


@dataclass(frozen=True, slots=True)
class Linear(Backoff):
    """Delays that grow by the same step each time.

    Examples
    --------
    >>> [Linear(1.0, step_s=2.0, cap_s=4.0, jitter="none").delay_s(retry, u=0.0) for retry in (1, 2, 3)]
    [1.0, 3.0, 4.0]
    """

    base_s: float = 1.0
    step_s: float = 1.0
    cap_s: float = 20.0
    jitter: Jitter = "full"

    def __post_init__(self) -> None:
        _check_s("base_s", self.base_s, least=0.0)
        _check_s("step_s", self.step_s, least=0.0)
        _check_s("cap_s", self.cap_s, least=self.base_s)
        _check_jitter(self.jitter, SPREAD)

    def raw_s(self, retry: int) -> float:
        """Return the delay before a retry without jitter, seconds."""
        return min(self.cap_s, self.base_s + self.step_s * (retry - 1.0))


@dataclass(frozen=True, slots=True)
class Exponential(Backoff):
    """Delays that grow by the same factor each time.

    Parameters
    ----------
    base_s : float
        Delay before the first retry, without jitter.
    factor : float
        At least 1. Decorrelated jitter has a growth of its own and accepts 2 only.
    cap_s : float
        No delay is longer.
    jitter : {"full", "equal", "decorrelated", "decorrelated_v2", "none"} or float
        A float is a share on either side.

    Raises
    ------
    BackoffError

    Examples
    --------
    >>> [Exponential(0.1, cap_s=0.5).delay_s(retry, u=0.5) for retry in (1, 2, 3, 4)]
    [0.05, 0.1, 0.2, 0.25]
    """

    base_s: float = 1.0
    factor: float = 2.0
    cap_s: float = 20.0
    jitter: Jitter = "full"

    own_growth: ClassVar[float] = 2.0

    def __post_init__(self) -> None:
        _check_s("base_s", self.base_s, least=0.0)
        _check_s("cap_s", self.cap_s, least=self.base_s)
        if not 1.0 <= self.factor <= LONGEST_S:
            msg = f"factor is {self.factor!r}, expected a number from 1 on; 2 doubles each delay"
            raise BackoffError(msg)
        _check_jitter(self.jitter, (*SPREAD, *HISTORICAL))
        if self.jitter == "decorrelated" and self.factor != self.own_growth:
            msg = f"factor is {self.factor!r}, but decorrelated jitter has its own growth: leave factor at 2"
            raise BackoffError(msg)
        if self.jitter == "decorrelated_v2" and self.factor <= 1.0:
            msg = f"factor is {self.factor!r}, but decorrelated jitter needs delays that grow: more than 1"
            raise BackoffError(msg)

    @property
    def growing(self) -> int:
        """The last retry for which the formula is evaluated; all later ones wait `cap_s` before jitter."""
        if self.factor == 1.0 or self.base_s == 0.0:
            return 2**53
        exponent = LARGEST / math.log(self.factor)
        if self.jitter != "decorrelated_v2":
            exponent = min(exponent, math.log(self.cap_s / self.base_s) / math.log(self.factor) + 2.0)
        return int(exponent)

    def raw_s(self, retry: int) -> float:
        """Return the delay before a retry without jitter, seconds."""
        if retry > self.growing:
            return self.cap_s if self.base_s else 0.0
        return min(self.cap_s, self.base_s * self.factor ** (retry - 1.0)) if self.base_s else 0.0

    def delay_s(self, retry: int, u: float, previous_s: float = 0.0) -> float:
        """Return the delay before a retry; see `Backoff.delay_s`."""
        if self.jitter == "decorrelated":
            previous_s = max(previous_s, self.base_s)
            return min(self.cap_s, self.base_s + u * (REACH * previous_s - self.base_s))
        if self.jitter == "decorrelated_v2":
            return self._smooth_s(retry, u, previous_s)
        return self._jittered_s(self.raw_s(retry), u)

    def _smooth_s(self, retry: int, u: float, waited_s: float) -> float:
        if retry > self.growing:
            return self.cap_s
        t = retry - 1.0 + u
        until_s = self.base_s / FIRST * self.factor**t * math.tanh(math.sqrt(STEEPNESS * t))
        return min(self.cap_s, max(0.0, until_s - waited_s))


def _check_s(name: str, value: float, *, least: float) -> None:
    if not least <= value <= LONGEST_S:
        msg = f"{name} is {value!r}, expected seconds from {least:g} to {LONGEST_S:g}"
        raise BackoffError(msg)


def _check_jitter(jitter: Jitter, known: tuple[str, ...]) -> None:
    if isinstance(jitter, str):
        right = jitter in known
    else:
        right = not isinstance(jitter, bool) and 0.0 < jitter <= 1.0
    if not right:
        msg = f"jitter is {jitter!r}, expected one of {', '.join(known)}, or a share above 0 and up to 1"
        raise BackoffError(msg)
