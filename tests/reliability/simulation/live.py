"""The live twin of `replay`: the same schedule, played to the pipeline itself on a virtual clock."""

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass

from workbench.clock import virtual_time
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._kernel_random import uniform
from workbench.reliability.simulation._outcomes import error_of
from workbench.reliability.simulation.errors import ServiceFailedError

call_number = ContextVar("call_number", default=-1)


@dataclass
class Played:
    """What became of each call."""

    outcomes: list
    attempts: list
    finished_s: list


class StreamOfCall:
    """Random numbers by call and attempt, as the simulator draws them."""

    def __init__(self, seed, layer):
        self.seed, self.layer, self.drawn = seed, layer, {}

    def random(self):
        number = call_number.get()
        self.drawn[number] = self.drawn.get(number, 0) + 1
        return uniform(self.seed, codes.JITTER + self.layer, number * 64 + self.drawn[number])


def play(make_pipeline, schedule):
    """Play a schedule to a new pipeline; return what became of its calls, and the pipeline."""
    played = Played([], [], [])
    with virtual_time() as clock:
        pipeline = make_pipeline()
        size = len(schedule.arrivals_s)
        played.outcomes = [None] * size
        played.attempts = [0] * size
        played.finished_s = [None] * size

        async def attempt(number):
            tried = played.attempts[number]
            played.attempts[number] += 1
            await clock.asleep(float(schedule.durations_s[number, min(tried, codes.GIVEN_ATTEMPTS - 1)]))
            if schedule.failed[number, min(tried, codes.GIVEN_ATTEMPTS - 1)]:
                raise ServiceFailedError

        async def call(number):
            call_number.set(number)
            await clock.asleep(float(schedule.arrivals_s[number]))
            try:
                await pipeline.acall(attempt, number)
                played.outcomes[number] = codes.OK
            except Exception as error:  # noqa: BLE001 - each is judged
                played.outcomes[number] = code_of(error)
            played.finished_s[number] = clock.now()

        async def all_calls():
            await asyncio.gather(*(call(number) for number in range(size)))

        asyncio.run(all_calls())
    return played, pipeline


def code_of(error):
    """Return the outcome that an exception is."""
    for outcome in range(codes.FAILED, codes.CANCELLED):
        if type(error_of(outcome)) is type(error):
            return outcome
    raise error


def play_in_turn(make_pipeline, schedule):
    """Play a schedule to a new pipeline in sync code, one call after the other."""
    played = Played([], [0] * len(schedule.arrivals_s), [])
    with virtual_time() as clock:
        pipeline = make_pipeline()

        def attempt(number):
            tried = min(played.attempts[number], codes.GIVEN_ATTEMPTS - 1)
            played.attempts[number] += 1
            clock.sleep(float(schedule.durations_s[number, tried]))
            if schedule.failed[number, tried]:
                raise ServiceFailedError

        for number, arrival_s in enumerate(schedule.arrivals_s.tolist()):
            call_number.set(number)
            clock.sleep(arrival_s - clock.now())
            try:
                pipeline.call(attempt, number)
                played.outcomes.append(codes.OK)
            except Exception as error:  # noqa: BLE001 - each is judged
                played.outcomes.append(code_of(error))
            played.finished_s.append(clock.now())
    return played, pipeline
