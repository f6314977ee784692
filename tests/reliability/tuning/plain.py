"""A circuit breaker in plain Python, and recorded calls played to it and to the live policy."""

import asyncio
import math
from contextlib import suppress

import numpy as np
from hypothesis import strategies as st

from workbench.clock import virtual_time
from workbench.reliability import CircuitBreaker, CircuitOpenError
from workbench.reliability.tuning.recorded import KnownFault, RecordedCalls


class PlainBreaker:
    """What a breaker is said to do, with lists of outcomes instead of totals."""

    def __init__(
        self,
        *,
        failure_rate=0.5,
        slow_rate=2.0,
        slow_s=60.0,
        window=None,
        window_s=None,
        buckets=None,
        consecutive=None,
        minimum_calls=100,
        open_s=60.0,
        half_open_calls=None,
    ):
        self.failure_rate, self.slow_rate, self.slow_s = failure_rate, slow_rate, slow_s
        self.window, self.consecutive, self.open_s = window, consecutive, open_s
        self.minimum_calls = min(minimum_calls, window) if window else minimum_calls
        self.buckets = buckets or (max(10, round(window_s)) if window_s else None)
        self.bucket_s = window_s / self.buckets if window_s else None
        self.trials = half_open_calls or (1 if consecutive else 10)
        self.state, self.changes, self.era = "closed", [], 0
        self.seen, self.sent = [], 0

    def change(self, state, now):
        self.state, self.changes = state, [*self.changes, (now, state)]
        self.era, self.seen, self.sent, self.since = self.era + 1, [], 0, now

    def comes(self, now):
        """Return the era that lets a call pass, or None."""
        if self.state == "open" and now - self.since >= self.open_s:
            self.change("half_open", now)
        if self.state == "open" or (self.state == "half_open" and self.sent == self.trials):
            return None
        self.sent += self.state == "half_open"
        return self.era

    def ends(self, era, now, *, failed, slow):
        if era != self.era:
            if self.state == "closed" and self.buckets:
                self.turn(now)  # buckets begin with the first call that ends, counted or not
            return
        if self.state == "half_open":
            self.seen.append((failed, slow))
            if self.is_broken(self.seen, self.trials):
                self.change("open", now)
            elif len(self.seen) == self.trials:
                self.change("closed", now)
        elif self.remembers(now, failed, slow):
            self.change("open", now)

    def remembers(self, now, failed, slow):
        if self.consecutive:
            self.seen = [*self.seen, 1] if failed or slow else []
            return len(self.seen) >= self.consecutive
        if self.window:
            self.seen = [*self.seen, (failed, slow)][-self.window :]
            return self.is_broken(self.seen, self.minimum_calls)
        self.turn(now)
        self.seen[-1][1].append((failed, slow))
        return self.is_broken([call for _, calls in self.seen for call in calls], self.minimum_calls)

    def turn(self, now):
        """Begin buckets until one holds the moment; the first one, or after a pause, begins at it."""
        if self.seen and now - self.seen[-1][0] < self.bucket_s:
            return
        if not self.seen:
            self.seen = [(now, [])]
        for _ in range(self.buckets):
            began = self.seen[-1][0]
            if now - began < self.bucket_s:
                return
            self.seen = [*self.seen, (began + self.bucket_s, [])][-self.buckets :]
        if now - self.seen[-1][0] >= self.bucket_s:
            self.seen[-1] = (now, [])

    def is_broken(self, calls, least):
        failed, slow = (sum(each) for each in zip(*calls, strict=True))
        enough = len(calls) >= least
        return enough and (failed >= self.failure_rate * len(calls) or slow >= self.slow_rate * len(calls))


def play_plain(options, calls):
    """Return which calls a plain breaker lets pass, and its changes of state.

    At the same moment calls end before others come, but none before it has come itself.
    """
    breaker = PlainBreaker(**options)
    eras, under_way = [], []

    def end(until):
        ended = sorted(
            (each for each in under_way if calls.end_s[each] <= until), key=calls.end_s.__getitem__
        )
        for number in ended:
            under_way.remove(number)
            if eras[number] is not None:
                end_s, slow_s = float(calls.end_s[number]), breaker.slow_s
                slow = breaker.slow_rate <= 1 and bool(end_s - calls.at_s[number] >= slow_s)
                breaker.ends(eras[number], end_s, failed=bool(calls.failed[number]), slow=slow)

    for number, now in enumerate(calls.at_s.tolist()):
        end(now)
        eras.append(breaker.comes(now))
        under_way.append(number)
    end(math.inf)
    return [era is not None for era in eras], breaker.changes


def play_live(options, calls):
    """Return which calls the policy itself lets pass on a virtual clock, and its changes of state."""
    passed, changes = [False] * len(calls.at_s), []
    with virtual_time() as clock:
        breaker = CircuitBreaker(**options)

        def hear(event):
            if event.kind == "state":
                changes.append((event.at_s, dict(event.details)["state"]))

        breaker.listen(hear)

        async def dependency(number):
            passed[number] = True
            await clock.asleep(float(calls.took_s[number]))
            if calls.failed[number]:
                raise ConnectionError

        async def call(number):
            await clock.asleep(float(calls.at_s[number]))
            with suppress(ConnectionError, CircuitOpenError):
                await breaker.acall(dependency, number)

        async def all_calls():
            await asyncio.gather(*(call(number) for number in range(len(calls.at_s))))

        asyncio.run(all_calls())
    return passed, changes


@st.composite
def recordings(draw, *, whole=False, most=60):
    """Return recorded calls with up to two faults; at whole seconds, or at any time."""
    size = draw(st.integers(1, most))
    if whole:
        at_s = sorted(draw(st.lists(st.integers(0, 40), min_size=size, max_size=size)))
        took_s = draw(st.lists(st.integers(0, 4), min_size=size, max_size=size))
    else:
        rng = np.random.default_rng(draw(st.integers(0, 2**32)))
        at_s, took_s = np.sort(rng.uniform(0, 40, size)), rng.exponential(0.5, size)
    failed = draw(st.lists(st.booleans(), min_size=size, max_size=size))
    edges = sorted(draw(st.sets(st.integers(0, 50), max_size=4)))
    faults = [KnownFault(*edges[i : i + 2], f"fault {i}") for i in range(0, len(edges) - 1, 2)]
    return RecordedCalls(at_s, took_s, failed, faults, 50.0)


OPTIONS = st.builds(
    lambda window, rates, ending: {**window, **rates, **ending},
    st.one_of(
        st.builds(lambda w, m: {"window": w, "minimum_calls": m}, st.integers(1, 12), st.integers(1, 12)),
        st.builds(
            lambda w, b, m: {"window_s": w, "buckets": b, "minimum_calls": m},
            st.sampled_from([1.0, 4.0, 16.0]),
            st.integers(1, 5),
            st.integers(1, 8),
        ),
        st.builds(lambda n: {"consecutive": n}, st.integers(1, 4)),
    ),
    st.builds(
        lambda failing, slow: {"failure_rate": failing, **slow},
        st.sampled_from([0.1, 0.4, 0.5, 1.0]),
        st.sampled_from([{}, {"slow_rate": 0.5, "slow_s": 1.0}, {"slow_rate": 1.0, "slow_s": 0.25}]),
    ),
    st.builds(
        lambda open_s, trials: {"open_s": open_s, **({"half_open_calls": trials} if trials else {})},
        st.sampled_from([0.0, 1.0, 5.0, 30.0]),
        st.integers(0, 3),
    ),
)
