"""`CircuitBreaker`: stop calling what fails, and try again after a while."""

import math
from typing import TYPE_CHECKING, Any, Literal, Self

from workbench.clock import Clock
from workbench.reliability.errors.rejections import CircuitOpenError
from workbench.reliability.fusing.layers import Layer, entry_time
from workbench.reliability.fusing.transitions import has_global_lock
from workbench.reliability.machines import breaker as machine
from workbench.reliability.machines.breaker import (
    CLOSED,
    DISABLED,
    admit,
    learn,
    release,
    succeed,
    switch,
    trip,
)
from workbench.reliability.machines.breaker_windows import count_in_row, count_in_time, rotate
from workbench.reliability.policies._arguments import check_count, check_factor, check_seconds, check_share
from workbench.reliability.policies._breaker_statistics import STATES as NAMES
from workbench.reliability.policies._breaker_statistics import BreakerStatistics, BreakerStatus, statistics_of
from workbench.reliability.policies._outcomes import Failures, On
from workbench.reliability.policies.breaker_shared import SharedBreakers
from workbench.reliability.policy import Generator, Policy, PolicyError

__all__ = ["CircuitBreaker"]

NEVER = 2.0  # a share that is never reached
FAILED, SLOW = 1, 2
NONE = -1  # the generation of calls that are not counted, or are already
Window = Literal["count", "time", "consecutive"]


if TYPE_CHECKING:  # constants of the layer: the compiler puts their values in
    SLOW_CALLS = TIMED = RESULTS = JUDGED = LISTENING = TELLING = WITHOUT_GIL = IN_ROW = IN_TIME = bool()  # noqa: UP018 - a literal is known to be false


def break_circuit(q: Any, proceed: Any) -> None:  # noqa: C901, PLR0912, PLR0915 - it is fused into one piece
    """Surround a call with a breaker.

    A success reads the clock only where it could change the state. All that may raise is within the outer
    `try`: a trial call gives its permit back, however it ends.
    """
    p, s, ring, clock, failures = q.parameters, q.memory, q.ring, q.clock, q.failures
    if SLOW_CALLS:
        started = entry_time(clock)
    generation = s.generation
    if s.state != CLOSED:
        entered = entry_time(clock)
        if WITHOUT_GIL:
            admitted, generation = q.admitted(entered)
        else:
            admitted = admit(p, s, entered)
            if TELLING and generation != s.generation:
                q.announce_trial(entered, s.generation)
            generation = s.generation
        if not admitted:
            raise q.refusal(entered)
        if s.state == DISABLED:
            generation = NONE
    try:
        try:
            result = proceed()
            changed = False
            if TIMED:
                outcome = 0
            if RESULTS and q.on_result(result):
                outcome = FAILED
            if TIMED:
                now = clock.now()
            if SLOW_CALLS and now - started >= p.slow_s:
                outcome |= SLOW
            if IN_TIME:
                if s.state == CLOSED:
                    if now - s.began_s >= p.bucket_s:
                        rotate(p, s, ring, now)
                    broken = count_in_time(p, s, ring, generation, outcome)
                    if broken:
                        changed = trip(s, generation, now)
                else:
                    changed = learn(p, s, ring, generation, outcome, now)
            elif TIMED:
                if IN_ROW and s.state == CLOSED:
                    broken = count_in_row(p, s, generation, outcome)
                    if broken:
                        changed = trip(s, generation, now)
                else:
                    changed = learn(p, s, ring, generation, outcome, now)
            elif IN_ROW and s.state == CLOSED:
                count_in_row(p, s, generation, 0)
            elif not IN_ROW and s.state == CLOSED and s.calls == p.window:
                succeed(p, s, ring, generation)
            else:
                now = clock.now()
                changed = learn(p, s, ring, generation, 0, now)
        except failures as error:
            if JUDGED and not q.judge(error):
                raise
            now = clock.now()
            outcome = FAILED
            if SLOW_CALLS and now - started >= p.slow_s:
                outcome = FAILED | SLOW
            changed = False
            if IN_ROW and s.state == CLOSED:
                broken = count_in_row(p, s, generation, outcome)
                if broken:
                    changed = trip(s, generation, now)
            elif IN_TIME and s.state == CLOSED:
                if now - s.began_s >= p.bucket_s:
                    rotate(p, s, ring, now)
                broken = count_in_time(p, s, ring, generation, outcome)
                if broken:
                    changed = trip(s, generation, now)
            else:
                changed = learn(p, s, ring, generation, outcome, now)
            generation = NONE
            if LISTENING:
                q.report(outcome, now, started, error)
            if changed:
                q.announce(now)
            raise
    except BaseException:
        released = release(s, generation)
        if LISTENING and released:
            q.emit("uncounted", clock.now())
        raise
    if LISTENING:
        q.report(outcome, now, started, None)
    if changed:
        q.announce(now)


class CircuitBreaker(Policy):
    """Stop calling what fails, and try again after a while.

    Give one window: `window` calls, `window_s` seconds, or so many `consecutive` failures; `count_window`,
    `time_window` and `consecutive` say the same as constructors.

    Parameters
    ----------
    on : exception type, ErrorClass, function of an exception, or several of them
        What counts as a failure. Other exceptions pass uncounted, and so does all that is no `Exception`,
        such as ``asyncio.CancelledError``, unless it is named here.
    ignore : as `on`
        What passes uncounted although `on` names it.
    on_result : function of a result, optional
        Tells whether a result is a failure all the same. It is returned as it is.
    failure_rate, slow_rate : float
        Shares of the calls in the window, from which on it opens; without `slow_rate` slow calls do not
        matter.
    slow_s : float
        A call is slow from so many seconds on.
    window : int
        How many of the last calls are looked at.
    window_s, buckets : float, int
        How many of the last seconds are looked at, and in how many steps they are forgotten: one a second,
        but at least 10, if not given.
    consecutive : int
        Failures (or slow calls, with `slow_rate`) one after the other, at which it opens.
    minimum_calls : int
        Fewer calls than these do not open it. Never more than `window`.
    open_s : float
        How long it stays open before it lets trial calls through.
    open_growth, open_most_s : float
        By what `open_s` is multiplied each time that a trial fails, and the most that it may become.
    half_open_calls : int
        How many trial calls are let through; when all are back, they decide, by the same rates.
    half_open_s : float
        How long it waits for them: then it is open again. Without end by default.
    shared : SharedBreakers, optional
        What ties it to breakers of other processes; see `workbench.reliability.policies.breaker_shared`.
    name, clock, rng
        As for all policies.

    Raises
    ------
    PolicyError
        When an argument is out of range, or there is more than one window.

    Notes
    -----
    Defaults are those of resilience4j 2: half of the last 100 calls, at least 100 calls, 60 s, 10 trial
    calls, no limit to how long a trial takes. Polly 8 differs: a tenth of at least 100 calls in 30 s, 5 s,
    one trial call. Those of resilience4j were taken because they open late: a breaker that opens for a
    tenth of failures multiplies small faults. Two differences to resilience4j: it also opens when *all*
    calls take 60 s or more (here ``slow_rate=1.0, slow_s=60.0``; off, because it costs two readings of the
    clock a call); and its trial may end after `minimum_calls` where these are fewer than the trial calls.
    `consecutive` has pybreaker's: 5 failures, 60 s, one trial call.

    A call is counted when it ends. Calls that were let through before a change of state are not counted
    after it.

    Examples
    --------
    >>> from workbench.clock import VirtualClock
    >>> breaker = CircuitBreaker.consecutive(2, open_s=30.0, clock=VirtualClock())
    >>> for _ in range(2):
    ...     try:
    ...         breaker.call(lambda: 1 / 0)
    ...     except ZeroDivisionError:
    ...         pass
    >>> breaker.state
    'open'
    >>> breaker.clock.advance(30.0)
    >>> breaker.call(lambda: "again"), breaker.state
    ('again', 'closed')
    """

    kind = "breaker"
    parameters: machine.Parameters
    memory: machine.State

    def __init__(  # noqa: PLR0913 - what can be said about a breaker
        self,
        *,
        on: On = Exception,
        ignore: On = (),
        on_result: Any = None,
        failure_rate: float = 0.5,
        slow_rate: float | None = None,
        slow_s: float = 60.0,
        window: int | None = None,
        window_s: float | None = None,
        buckets: int | None = None,
        consecutive: int | None = None,
        minimum_calls: int = 100,
        open_s: float = 60.0,
        open_growth: float = 1.0,
        open_most_s: float = math.inf,
        half_open_calls: int | None = None,
        half_open_s: float = math.inf,
        shared: SharedBreakers | None = None,
        name: str | None = None,
        clock: Clock | None = None,
        rng: Generator | None = None,
    ) -> None:
        self.window_kind: Window = _the_window(window, window_s, consecutive)
        failures = Failures.of(on, ignore)
        self.failures, self.judge = failures.types, failures.judge
        if on_result is not None and not callable(on_result):
            msg = f"on_result is {on_result!r}, expected a function of a result"
            raise PolicyError(msg)
        self.on_result = on_result
        if half_open_calls is None:
            half_open_calls = 1 if self.window_kind == "consecutive" else 10
        self.parameters = machine.Parameters(
            window=0,
            minimum_calls=check_count("minimum_calls", minimum_calls),
            failure_rate=check_share("failure_rate", failure_rate),
            slow_rate=NEVER if slow_rate is None else check_share("slow_rate", slow_rate),
            slow_s=check_seconds("slow_s", slow_s, zero=True),
            open_s=check_seconds("open_s", open_s, zero=True),
            half_open_calls=check_count("half_open_calls", half_open_calls),
            half_open_s=check_seconds("half_open_s", half_open_s, endless=True),
            open_growth=check_factor("open_growth", open_growth),
            open_most_s=check_seconds("open_most_s", open_most_s, endless=True),
        )
        self.ring: Any = self._ring(window, window_s, buckets, consecutive)
        self.memory = machine.State()
        if shared is not None and not callable(getattr(shared, "changed", None)):
            msg = f"shared is {shared!r:.80}, expected what ties breakers, as SharedBreakerState(client)"
            raise PolicyError(msg)
        self.shared = shared
        super().__init__(name=name, clock=clock, rng=rng)
        if shared is not None:
            shared.join(self)

    @classmethod
    def consecutive(cls, failures: int = 5, **more: Any) -> Self:
        """Return a breaker that opens at so many failures, one after the other; one trial call closes it."""
        return cls(consecutive=failures, **more)

    @classmethod
    def count_window(cls, calls: int = 100, **more: Any) -> Self:
        """Return a breaker that looks at so many of the last calls."""
        return cls(window=calls, **more)

    @classmethod
    def time_window(cls, window_s: float = 100.0, **more: Any) -> Self:
        """Return a breaker that looks at so many of the last seconds; resilience4j's default is 100."""
        return cls(window_s=window_s, **more)

    def adopt(self, old: "CircuitBreaker") -> bool:
        """Go on with the state of another one, and with its window and counts where that is the same."""
        if self.shape == old.shape:
            self.memory, self.ring, self.lock = old.memory, old.ring, old.lock
        elif old.state != self.state:
            self.follow(old.state, since_s=max(0.0, old.clock.now() - old.memory.changed_s))
        return True

    @property
    def shape(self) -> tuple[object, ...]:
        """What its window is like, but for failures in a row, of which there may be any number."""
        p, kind = self.parameters, self.window_kind
        return (kind,) if kind == "consecutive" else (kind, p.window, p.buckets, p.bucket_s)

    def layer(self) -> Layer:
        """Return how it surrounds a call."""
        p, listening = self.parameters, self.listening
        slow = p.slow_rate <= 1.0 or listening
        constants = {
            "SLOW_CALLS": slow,
            "IN_ROW": self.window_kind == "consecutive",
            "IN_TIME": self.window_kind == "time",
            "TIMED": slow or self.window_kind == "time" or self.on_result is not None,
            "RESULTS": self.on_result is not None,
            "JUDGED": self.judge is not None,
            "LISTENING": listening,
            "TELLING": listening or self.shared is not None,
            "WITHOUT_GIL": not has_global_lock(),
        }
        return Layer(break_circuit, tuple(constants.items()))

    @property
    def state(self) -> BreakerStatus:
        """Which state it is in; an open one becomes half open when the first call comes after its time."""
        return NAMES[self.memory.state]

    @property
    def statistics(self) -> BreakerStatistics:
        """What it sees now, and has counted."""
        with self.lock:
            return statistics_of(self)

    def force_open(self) -> None:
        """Let no call through, until told otherwise."""
        self._switch(machine.FORCED_OPEN)

    def disable(self) -> None:
        """Let all calls through and count none, until told otherwise."""
        self._switch(DISABLED)

    force_closed = disable

    def close(self) -> None:
        """Close it, with nothing seen."""
        self._switch(CLOSED)

    def open(self) -> None:
        """Open it as if a threshold had been reached: after `open_s` it tries again."""
        self._switch(machine.OPEN)

    def half_open(self) -> None:
        """Let trial calls through."""
        self._switch(machine.HALF_OPEN)

    def reset(self) -> None:
        """Close it and forget what was learnt and counted; calls that are out are not counted."""
        with self.lock:
            now = self.clock.now()
            changed = switch(self.parameters, self.memory, CLOSED, now)
            self.memory.rejected = self.memory.uncounted = self.memory.opened = 0
        if changed:
            self.announce(now)

    def follow(self, state: BreakerStatus, *, since_s: float = 0.0) -> None:
        """Take over the state that another breaker has been in for so many seconds; `shared` calls it.

        The change is told to listeners, but not to `shared` again.
        """
        if state not in NAMES:
            msg = f"state is {state!r}, expected one of {', '.join(NAMES)}"
            raise PolicyError(msg)
        self._switch(
            NAMES.index(state), since_s=check_seconds("since_s", since_s, zero=True), tell_others=False
        )

    def _switch(self, state: int, *, since_s: float = 0.0, tell_others: bool = True) -> None:
        with self.lock:
            now = self.clock.now()
            changed = self.memory.state != state
            if changed:
                switch(self.parameters, self.memory, state, now - since_s)
        if changed:
            self.announce(now, tell_others=tell_others)

    def admitted(self, now: float) -> tuple[bool, int]:
        """Return whether a call may pass and its generation, where threads really run at once."""
        with self.lock:
            before = self.memory.generation
            found = admit(self.parameters, self.memory, now), self.memory.generation
        if found[1] != before:
            self.announce_trial(now, found[1])
        return found

    def refusal(self, now: float) -> CircuitOpenError:
        """Return the error of a call that may not pass."""
        if self._listeners:
            self.emit("rejected", now, state=self.state)
        return CircuitOpenError(self.name, self.left_s(now))

    def left_s(self, now: float) -> float | None:
        """Return the seconds until it lets a trial call through; None where that is not a matter of time."""
        p, s = self.parameters, self.memory
        if s.state != machine.OPEN:
            return None
        open_s = p.open_s * s.growth
        if open_s > p.open_most_s:  # noqa: PLR1730 - called for each refusal: min() costs as much as all the rest
            open_s = p.open_most_s
        left_s = s.changed_s + open_s - now
        return left_s if left_s > 0.0 else 0.0  # noqa: FURB136 - as above

    def announce(self, now: float, *, tell_others: bool = True) -> None:
        """Tell that the state has changed: listeners, and breakers that share it."""
        state = self.state
        if self.listening:
            self.emit("state", now, state=state)
        if tell_others and self.shared is not None:
            self.shared.changed(self, state)

    def announce_trial(self, now: float, generation: int) -> None:
        """Tell that time has changed the state; if a listener fails, give back the permit that was taken."""
        try:
            self.announce(now)
        except BaseException:
            if self.memory.state == machine.HALF_OPEN:
                release(self.memory, generation)
            raise

    def report(self, outcome: int, now: float, started: float, error: BaseException | None) -> None:
        """Tell the listeners how a call ended."""
        kind = "failure" if outcome & FAILED else "slow" if outcome & SLOW else "success"
        self.emit(kind, now, elapsed_s=now - started, error=error)

    def __repr__(self) -> str:
        return f"CircuitBreaker({self.name!r}, {self.window_kind} window, {self.state})"

    def _ring(
        self, window: int | None, window_s: float | None, buckets: int | None, consecutive: int | None
    ) -> Any:
        """Return room for what the window holds, and note its size."""
        p = self.parameters
        if consecutive is not None and buckets is None:
            p.window, p.minimum_calls = check_count("consecutive", consecutive), 0
            return bytearray(0)
        if window_s is not None:
            check_seconds("window_s", window_s)
            p.buckets = check_count("buckets", max(10, round(window_s)) if buckets is None else buckets)
            p.bucket_s = window_s / p.buckets
            return [0] * (3 * p.buckets)
        if buckets is not None:
            msg = f"buckets is {buckets!r}: they are pieces of window_s, which is not given"
            raise PolicyError(msg)
        p.window = check_count("window", 100 if window is None else window)
        p.minimum_calls = min(p.minimum_calls, p.window)
        return bytearray(p.window)


def _the_window(window: int | None, window_s: float | None, consecutive: int | None) -> Window:
    given = {"window": window, "window_s": window_s, "consecutive": consecutive}
    names = [name for name, value in given.items() if value is not None]
    if len(names) > 1:
        msg = f"{' and '.join(names)} are given, expected one window"
        raise PolicyError(msg)
    kinds: dict[str, Window] = {"window": "count", "window_s": "time", "consecutive": "consecutive"}
    return kinds[names[0]] if names else "count"
