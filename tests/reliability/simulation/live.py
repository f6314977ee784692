"""The live twin of `replay`: the same schedule, played to the pipeline itself on a virtual clock."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import partial

from workbench.clock import virtual_time
from workbench.reliability.policies.cache import Cache
from workbench.reliability.policies.importance import criticality
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._kernel_random import uniform
from workbench.reliability.simulation._outcomes import error_of
from workbench.reliability.simulation.errors import ServiceFailedError

course = ContextVar("course")  # of the current call
call_key = ContextVar("call_key", default=None)
call_cost = ContextVar("call_cost", default=1)
GOOD = "good"


@dataclass
class Course:
    """A call: its number, how many attempts it has made, how many random numbers it has drawn by layer."""

    number: int
    attempts: int = 0
    draws: dict = field(default_factory=dict)


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
        self.seed, self.layer = seed, layer

    def random(self):
        call = course.get()
        drawn = call.draws[self.layer] = call.draws.get(self.layer, 0) + 1
        return uniform(self.seed, codes.JITTER + self.layer, call.number * 64 + drawn)


class StreamOfPolicy:
    """Random numbers one after the other, as the simulator draws them for policies that know no calls."""

    def __init__(self, seed, layer):
        self.seed, self.layer, self.drawn = seed, layer, 0

    def random(self):
        self.drawn += 1
        return uniform(self.seed, codes.JITTER + self.layer, self.drawn - 1)


@contextmanager
def as_requested(schedule, number) -> Iterator[None]:
    """Be the call of a number: of its importance, for its tenant, asking for its key, of its cost."""
    r = schedule.requests
    level, tenant, key, cost = (
        stream.values[stream.recorded[number] if len(stream.recorded) else 0]
        for stream in (r.level_stream, r.tenant_stream, r.key_stream, r.cost_stream)
    )
    course.set(Course(number))
    call_key.set(key)
    call_cost.set(cost)
    with criticality(level, key=tenant):
        yield


class CourseCache(Cache):
    """A cache by what calls ask for; what is fetched beside a call goes on by itself from where that is."""

    def __init__(self, **options):
        super().__init__(key=lambda *_: call_key.get(), **options)

    async def arefresh(self, turn, fetch):
        beside = replace(course.get(), draws=dict(course.get().draws))

        async def fetch_beside():
            course.set(beside)
            return await fetch()

        await super().arefresh(turn, fetch_beside)


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
            tried = min(course.get().attempts, codes.GIVEN_ATTEMPTS - 1)
            course.get().attempts += 1
            await clock.asleep(float(schedule.durations_s[number, tried]))
            return answer(schedule, number, tried)

        async def call(number):
            await clock.aadvance(float(schedule.arrivals_s[number]))
            with as_requested(schedule, number):
                try:
                    played.outcomes[number] = outcome_of(await pipeline.acall(attempt, number))
                except Exception as error:  # noqa: BLE001 - each is judged
                    played.outcomes[number] = code_of(error)
                played.attempts[number] = course.get().attempts
            played.finished_s[number] = clock.now()

        async def all_calls():
            await asyncio.gather(*(call(number) for number in range(size)))
            while beside := asyncio.all_tasks() - {asyncio.current_task()}:
                await asyncio.wait(beside)

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
    with virtual_time() as clock, clock.hold():
        pipeline = make_pipeline()

        def attempt(number):
            tried = min(played.attempts[number], codes.GIVEN_ATTEMPTS - 1)
            played.attempts[number] += 1
            clock.sleep(float(schedule.durations_s[number, tried]))
            return answer(schedule, number, tried)

        for number, arrival_s in enumerate(schedule.arrivals_s.tolist()):
            clock.sleep(max(0.0, arrival_s - clock.now()))
            played.arrived_s.append(clock.now())
            with as_requested(schedule, number):
                try:
                    played.outcomes.append(outcome_of(pipeline.call(attempt, number)))
                except Exception as error:  # noqa: BLE001 - each is judged
                    played.outcomes.append(code_of(error))
            played.finished_s.append(clock.now())
    return played, pipeline


def play_in_threads(make_pipeline, schedule):
    """Play a schedule to a new pipeline in sync code, each call in a thread of its own."""
    size = len(schedule.arrivals_s)
    played = Played([None] * size, [0] * size, [None] * size)
    with virtual_time() as clock:
        pipeline = make_pipeline()

        def attempt(number):
            tried = min(course.get().attempts, codes.GIVEN_ATTEMPTS - 1)
            course.get().attempts += 1
            clock.sleep(float(schedule.durations_s[number, tried]))
            return answer(schedule, number, tried)

        def call(number):
            clock.advance(float(schedule.arrivals_s[number]))
            with as_requested(schedule, number):
                try:
                    played.outcomes[number] = outcome_of(pipeline.call(attempt, number))
                except Exception as error:  # noqa: BLE001 - each is judged
                    played.outcomes[number] = code_of(error)
                played.attempts[number] = course.get().attempts
            played.finished_s[number] = clock.now()

        clock.run_threads(*(partial(call, number) for number in range(size)))
    return played, pipeline
