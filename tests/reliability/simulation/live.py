"""The live twin of `replay`: the same schedule, played to the pipeline itself on a virtual clock."""

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass, field

from workbench.clock import virtual_time
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._kernel_random import uniform
from workbench.reliability.simulation._outcomes import error_of
from workbench.reliability.simulation.errors import ServiceFailedError

call_number = ContextVar("call_number", default=-1)
GOOD = "good"


@dataclass
class Played:
    """What became of each call."""

    outcomes: list
    attempts: list
    finished_s: list
    arrived_s: list = field(default_factory=list)


class StreamOfCall:
    """Random numbers by call and attempt, as the simulator draws them."""

    def __init__(self, seed, layer):
        self.seed, self.layer, self.drawn = seed, layer, {}

    def random(self):
        number = call_number.get()
        self.drawn[number] = self.drawn.get(number, 0) + 1
        return uniform(self.seed, codes.JITTER + self.layer, number * 64 + self.drawn[number])


class StreamOfPolicy:
    """Random numbers one after the other, as the simulator draws them for policies that know no calls."""

    def __init__(self, seed, layer):
        self.seed, self.layer, self.drawn = seed, layer, 0

    def random(self):
        self.drawn += 1
        return uniform(self.seed, codes.JITTER + self.layer, self.drawn - 1)


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
            tried = min(played.attempts[number], codes.GIVEN_ATTEMPTS - 1)
            played.attempts[number] += 1
            await clock.asleep(float(schedule.durations_s[number, tried]))
            return answer(schedule, number, tried)

        async def call(number):
            call_number.set(number)
            await clock.asleep(float(schedule.arrivals_s[number]))
            try:
                played.outcomes[number] = outcome_of(await pipeline.acall(attempt, number))
            except Exception as error:  # noqa: BLE001 - each is judged
                played.outcomes[number] = code_of(error)
            played.finished_s[number] = clock.now()

        async def all_calls():
            await asyncio.gather(*(call(number) for number in range(size)))

        asyncio.run(all_calls())
    return played, pipeline


def answer(schedule, number, tried):
    """Return or raise what an attempt of a call gets."""
    if schedule.replies is None:
        if schedule.failed[number, tried]:
            raise ServiceFailedError
        return GOOD
    found = schedule.answers[schedule.replies[number, tried]]
    if isinstance(found, BaseException):
        raise type(found)(*found.args)  # as policies write on what is raised, each is a new one
    return found


def outcome_of(result):
    """Return the outcome that a result is: itself, where it is not the usual one."""
    return codes.OK if result in (GOOD, "instead") else result


def code_of(error):
    """Return the outcome that an exception is: itself, where it is no usual one."""
    for outcome in range(codes.FAILED, codes.CANCELLED):
        if type(error_of(outcome)) is type(error):
            return outcome
    return error


def play_in_turn(make_pipeline, schedule):
    """Play a schedule to a new pipeline in sync code, one call after the other."""
    played = Played([], [0] * len(schedule.arrivals_s), [])
    with virtual_time() as clock:
        pipeline = make_pipeline()

        def attempt(number):
            tried = min(played.attempts[number], codes.GIVEN_ATTEMPTS - 1)
            played.attempts[number] += 1
            clock.sleep(float(schedule.durations_s[number, tried]))
            return answer(schedule, number, tried)

        for number, arrival_s in enumerate(schedule.arrivals_s.tolist()):
            call_number.set(number)
            clock.sleep(max(0.0, arrival_s - clock.now()))
            played.arrived_s.append(clock.now())
            try:
                played.outcomes.append(outcome_of(pipeline.call(attempt, number)))
            except Exception as error:  # noqa: BLE001 - each is judged
                played.outcomes.append(code_of(error))
            played.finished_s.append(clock.now())
    return played, pipeline
