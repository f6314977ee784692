"""`drive`: clients that come when a simulation's come, and call what is real through a pipeline.

Arrivals are open: a client comes at its time, whether earlier ones have been answered or not. Only so can a
service be overloaded; clients that wait for each other slow down with it (Schroeder, Wierman, Harchol-Balter:
Open versus closed: a cautionary tale, NSDI 2006). Latency counts from the time a client was due, so that a
driver that falls behind does not make its service look better.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.reliability.experiments._outcomes import NOT_STARTED, outcome_of
from workbench.reliability.experiments._records import CALL
from workbench.reliability.experiments.driven import Driven
from workbench.reliability.experiments.errors import ExperimentError
from workbench.reliability.pipeline import Pipeline
from workbench.reliability.policy import Policy
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._streams import arrival_times
from workbench.reliability.simulation.service import Arrivals, Fault

__all__ = ["drive"]

Call = Callable[[], Awaitable[Any]]
UNDER_WAY = -1


async def drive(  # noqa: PLR0913 - what an experiment consists of
    pipeline: Pipeline | Policy | None,
    call: Call,
    arrivals: Arrivals,
    *,
    duration_s: float,
    seed: int = 0,
    faults: Iterable[Fault] = (),
    most_tasks: int = 10_000,
) -> Driven:
    """Call something through a pipeline, whenever a client of the simulation with this seed comes.

    Each client is an asyncio task. Those that are under way at the end are cancelled, as they are when this
    is; it returns when all of them have ended.

    Parameters
    ----------
    pipeline : Pipeline, Policy or None
        What each client's call goes through; None calls directly.
    call : async function
        What is called, without arguments; its exceptions are outcomes.
    arrivals : Poisson, Even or Recorded
    duration_s : float
        How long clients come, in seconds of the event loop's clock.
    seed : int
        Decides when clients come: to the bit as `simulate` with this seed has them.
    faults : iterable of Fault
        Surges bring more clients; the others are the service's, and are drawn only.
    most_tasks : int
        How many clients may be under way at once; further ones are not let in ("not_started").

    Returns
    -------
    Driven

    Raises
    ------
    ExperimentError
        When nobody may be under way.
    SimulationError
        For closed users, and a duration that is not positive.

    Examples
    --------
    >>> from workbench.clock import virtual_time
    >>> from workbench.reliability import Even
    >>> async def answer() -> int:
    ...     await asyncio.sleep(0.25)
    ...     return 42
    >>> with virtual_time():
    ...     asyncio.run(drive(None, answer, Even(1.0), duration_s=3.5))
    Driven: 3 calls in 3.5 s, goodput 0.9/s, 1.00 attempts a call, 0 under way
    """
    if most_tasks < 1:
        msg = f"most_tasks must be 1 at least, got {most_tasks!r}"
        raise ExperimentError(msg)
    faults = tuple(faults)
    times = arrival_times(arrivals, duration_s=duration_s, seed=seed, faults=faults)
    through = _directly if pipeline is None else pipeline.acall
    course = _Course(through, call, _log_of(times), asyncio.get_running_loop())
    await course.run(most_tasks, duration_s)
    return course.driven(faults, duration_s)


async def _directly(call: Call) -> Any:
    return await call()


def _log_of(times: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
    log = np.zeros(len(times), CALL)
    log["serial"] = np.arange(len(times))
    log["outcome"] = UNDER_WAY
    log["arrived_s"] = times
    log["started_s"] = log["finished_s"] = np.nan
    return log


@dataclass
class _Course:
    """An experiment that goes on."""

    through: Callable[[Call], Awaitable[Any]]
    call: Call
    log: npt.NDArray[Any]
    loop: asyncio.AbstractEventLoop
    attempted_s: list[float] = field(default_factory=list)
    began_s: float = 0.0

    async def run(self, most_tasks: int, duration_s: float) -> None:
        """Let clients come, and end those that are still under way."""
        running: set[asyncio.Task[None]] = set()
        self.began_s = self.loop.time()
        async with asyncio.TaskGroup() as tasks:
            for number, at_s in enumerate(self.log["arrived_s"].tolist()):
                await self._until(at_s)
                if len(running) >= most_tasks:
                    self._end(number, NOT_STARTED)
                    continue
                task = tasks.create_task(self._client(number))
                running.add(task)
                task.add_done_callback(running.discard)
            await self._until(duration_s)
            for task in running:
                task.cancel()

    async def _until(self, at_s: float) -> None:
        """Sleep up to a time; others have their turn also when it is over."""
        await asyncio.sleep(max(0.0, at_s - self._now_s()))

    def _now_s(self) -> float:
        return self.loop.time() - self.began_s

    async def _client(self, number: int) -> None:
        self.log["started_s"][number] = self._now_s()
        try:
            await self.through(self._counted(number))
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is None or task.cancelling():
                raise
            self._end(number, codes.CANCELLED)  # by what was called, not from outside
        except Exception as error:  # noqa: BLE001 - an outcome, whatever it is
            self._end(number, outcome_of(error))
        else:
            self._end(number, codes.OK)

    def _counted(self, number: int) -> Call:
        async def attempt() -> Any:
            self.log["attempts"][number] += 1
            self.attempted_s.append(self._now_s())
            return await self.call()

        return attempt

    def _end(self, number: int, outcome: int) -> None:
        self.log["outcome"][number] = outcome
        self.log["finished_s"][number] = self._now_s()

    def driven(self, faults: tuple[Fault, ...], duration_s: float) -> Driven:
        """Return what came of it."""
        ended = self.log[self.log["outcome"] != UNDER_WAY]
        return Driven(
            faults=faults,
            duration_s=duration_s,
            log=ended[np.argsort(ended["finished_s"], kind="stable")],
            due_s=self.log["arrived_s"].copy(),
            attempted_s=np.array(self.attempted_s, np.float64),
        )
