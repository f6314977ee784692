"""`Hedge`: the first success wins, the others are cancelled and awaited, and the budget holds."""

import asyncio
import gc
import math
import sys
import threading
import weakref
from contextlib import suppress

import pytest

from workbench.clock import VirtualClock
from workbench.reliability.pipeline import Pipeline
from workbench.reliability.policies.breaker import CircuitBreaker
from workbench.reliability.policies.hedge import Hedge
from workbench.reliability.policy import PolicyError


@pytest.fixture
def clock():
    return VirtualClock()


class Server:
    """Answers calls after given times, by number or by an exception; notes what became of each."""

    def __init__(self, clock, *plans):
        self.clock, self.plans = clock, list(plans)
        self.called, self.ended = [], {}

    def plan(self):
        number = len(self.called)
        self.called.append(self.clock.now())
        plan = self.plans[number]
        return number, *(plan if isinstance(plan, tuple) else (plan, None))

    async def aask(self):
        number, seconds, error = self.plan()
        try:
            await self.clock.asleep(seconds)
        except asyncio.CancelledError:
            await self.clock.asleep(0.0)
            self.ended[number] = "cancelled"
            raise
        return self.answer(number, error)

    def ask(self):
        number, seconds, error = self.plan()
        self.clock.sleep(seconds)
        return self.answer(number, error)

    def answer(self, number, error):
        self.ended[number] = "failed" if error else "answered"
        if error is not None:
            raise error
        return number


def in_both_worlds(clock, hedge, server):
    """Return how to ask a server, once in tasks and once in threads."""
    return {
        "async": lambda: clock.run(hedge.acall(server.aask)),
        "sync": lambda: clock.run_threads(lambda: (hedge.call(server.ask), clock.now()))[0][0],
    }


@pytest.fixture(params=["async", "sync"])
def ask(request, clock):
    def ask(hedge, *plans):
        server = Server(clock, *plans)
        return server, in_both_worlds(clock, hedge, server)[request.param]

    ask.world = request.param
    return ask


def test_an_answer_in_time_needs_no_second_attempt(clock, ask):
    server, call = ask(Hedge(1.0, clock=clock), 0.5)
    assert call() == 0
    assert server.called == [0.0]


def test_a_late_answer_is_asked_for_again_and_the_first_to_come_wins(clock, ask):
    hedge = Hedge(1.0, clock=clock)
    server, call = ask(hedge, 5.0, 0.5)
    assert call() == 1
    assert server.called == [0.0, 1.0]
    assert (hedge.statistics.hedges, hedge.statistics.won) == (1, 1)
    assert server.ended == ({0: "cancelled", 1: "answered"} if ask.world == "async" else server.ended)


def test_the_first_attempt_may_still_win(clock, ask):
    hedge = Hedge(1.0, clock=clock)
    server, call = ask(hedge, 2.0, 5.0)
    assert call() == 0
    assert server.called == [0.0, 1.0]
    assert hedge.statistics.won == 0


def test_there_may_be_several_extra_attempts_each_after_the_delay(clock, ask):
    server, call = ask(Hedge(1.0, hedges=3, clock=clock), 9.0, 9.0, 9.0, 0.5)
    assert call() == 3
    assert server.called == [0.0, 1.0, 2.0, 3.0]


def test_a_failure_starts_the_next_attempt_at_once(clock, ask):
    server, call = ask(Hedge(10.0, clock=clock), (1.0, OSError("first")), 1.0)
    assert call() == 1
    assert server.called == [0.0, 1.0]


def test_when_all_fail_the_error_of_the_first_is_raised(clock, ask):
    first, second = OSError("first"), OSError("second")
    server, call = ask(Hedge(1.0, clock=clock), (5.0, first), (1.0, second))
    with pytest.raises((OSError, BaseExceptionGroup)) as caught:
        call()
    raised = caught.value.exceptions[0] if ask.world == "sync" else caught.value  # threads gather theirs
    assert raised is first
    assert len(server.called) == 2


def test_an_exception_that_no_attempt_may_mend_ends_the_call(clock):
    hedge, server = Hedge(1.0, on=OSError, clock=clock), Server(clock, (2.0, KeyError("gone")), 9.0)
    with pytest.raises(KeyError, match="gone"):
        clock.run(hedge.acall(server.aask))
    assert server.ended == {0: "failed", 1: "cancelled"}


def test_without_a_budget_left_the_first_attempt_is_waited_for(clock, ask):
    hedge = Hedge(1.0, budget=0.0, burst=1.0, clock=clock)
    _, call = ask(hedge, 5.0, 0.5, 5.0)
    assert call() == 1
    _, call = ask(hedge, 5.0)
    assert call() == 0
    assert (hedge.statistics.hedges, hedge.statistics.refused) == (1, 1)


def test_extra_attempts_are_a_share_of_the_calls(clock):
    hedge = Hedge(0.1, budget=0.1, burst=1.0, clock=clock)

    async def main():
        for _ in range(200):
            await hedge.acall(clock.asleep, 1.0)

    clock.run(main())
    assert hedge.statistics.hedges == pytest.approx(20, abs=1)
    assert hedge.statistics.calls == 200


def test_the_delay_is_learnt_as_a_quantile(clock):
    hedge = Hedge(quantile=0.9, minimum_calls=50, budget=None, clock=clock)
    assert hedge.delay_s == math.inf

    async def main():
        for number in range(500):
            await hedge.acall(clock.asleep, 1.0 if number % 20 == 0 else 0.1)

    clock.run(main())
    assert hedge.delay_s == pytest.approx(0.1, rel=1 / 64)
    assert (
        hedge.statistics.hedges == 500 // 20 - 3
    )  # the first three slow calls came before anything was known


def test_slow_first_attempts_count_as_slow_although_they_are_cancelled(clock):
    """Were only winners seen, the quantile would fall with each hedge."""
    hedge = Hedge(quantile=0.95, minimum_calls=100, budget=None, clock=clock)

    async def call(number):
        first = Hedge.attempt().number == 0
        await clock.asleep((10.0 if number % 10 == 0 else 0.1) if first else 0.01)

    async def main():
        for number in range(2000):
            await hedge.acall(call, number)

    clock.run(main())
    assert hedge.delay_s > 1.0


def test_on_the_system_clock_the_loop_itself_is_the_timer():
    async def call():
        if Hedge.attempt().number < 2:
            await asyncio.Event().wait()
        return Hedge.attempt().number

    async def main():
        hedge = Hedge(0.001, hedges=2)
        assert await hedge.acall(call) == 2
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return hedge.statistics.hedges

    assert asyncio.run(main()) == 2


# Cancellation


def test_a_cancelled_call_ends_its_attempts_and_keeps_its_cancellation(clock):
    hedge, server = Hedge(1.0, clock=clock), Server(clock, 9.0, 9.0)

    async def main():
        task = asyncio.ensure_future(hedge.acall(server.aask))
        await clock.asleep(2.0)
        task.cancel("enough")
        with pytest.raises(asyncio.CancelledError, match="enough"):
            await task
        assert server.ended == {0: "cancelled", 1: "cancelled"}
        assert asyncio.all_tasks() == {asyncio.current_task()}

    clock.run(main())


def test_a_call_cancelled_while_it_waits_for_losers_still_waits_for_them(clock):
    ended = []

    async def stubborn():
        if Hedge.attempt().number == 1:
            return "won"
        try:
            await clock.asleep(100.0)
        finally:
            await clock.asleep(5.0)
            ended.append(clock.now())

    async def main():
        task = asyncio.ensure_future(Hedge(1.0, clock=clock).acall(stubborn))
        await clock.asleep(3.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended == [6.0]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    clock.run(main())


def test_nothing_is_left_and_nobody_warns_when_losers_fail(clock):
    complaints = []

    async def call():
        if Hedge.attempt().number == 1:
            return "won"
        try:
            await clock.asleep(100.0)
        except asyncio.CancelledError:
            raise OSError from None

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        assert await Hedge(1.0, clock=clock).acall(call) == "won"
        assert asyncio.all_tasks() == {asyncio.current_task()}

    clock.run(main())
    gc.collect()
    assert complaints == []


def test_an_attempt_that_is_cancelled_from_within_cancels_the_call(clock):
    reason = "inside"

    async def call():
        raise asyncio.CancelledError(reason)

    with pytest.raises(asyncio.CancelledError, match="inside"):
        clock.run(Hedge(1.0, clock=clock).acall(call))


# Threads


def test_an_abandoned_thread_is_told_and_counted_until_it_ends():
    hedge, go, seen = Hedge(0.0), threading.Event(), []

    def call():
        attempt = Hedge.attempt()
        if attempt.number == 0:
            go.wait(10)
            seen.append(attempt.abandoned)
            return "late"
        return "won"

    assert hedge.call(call) == "won"
    assert hedge.statistics.abandoned == 1
    loser = next(thread for thread in threading.enumerate() if thread.name == "hedge-0")
    go.set()
    loser.join(10)
    assert seen == [True]
    assert hedge.statistics.abandoned == 0


def test_calls_from_many_threads_are_all_counted():
    hedge, interval = Hedge(10.0), sys.getswitchinterval()
    call = hedge(lambda number: number)

    def work():
        assert [call(number) for number in range(100)] == list(range(100))
        done.append(1)

    done, threads = [], [threading.Thread(target=work) for _ in range(4)]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert len(done) == 4
    assert (hedge.statistics.calls, hedge.statistics.hedges, hedge.statistics.abandoned) == (400, 0, 0)


def test_outside_of_attempts_there_is_none():
    assert Hedge.attempt() is None


# All together


def test_what_is_within_is_attempted_with_it(clock):
    breaker = CircuitBreaker.consecutive(5, clock=clock)
    server = Server(clock, (0.0, OSError()), 0.1)
    assert clock.run(Pipeline(Hedge(1.0, clock=clock), breaker)(server.aask)()) == 1
    assert breaker.statistics.failed == 0
    assert len(server.called) == 2


def test_listeners_hear_of_extra_attempts(clock):
    hedge, heard = Hedge(1.0, budget=0.0, burst=1.0, clock=clock), []
    hedge.listen(lambda event: heard.append((event.kind, event.at_s)))
    clock.run(hedge.acall(Server(clock, 5.0, 0.5).aask))
    clock.run(hedge.acall(Server(clock, 5.0).aask))
    assert heard == [("hedge", 1.0), ("hedge_won", 1.5), ("hedge_refused", 2.5)]


def test_reset_forgets_what_was_learnt(clock):
    hedge = Hedge(minimum_calls=1, clock=clock)
    clock.run(hedge.acall(clock.asleep, 1.0))
    assert hedge.delay_s < math.inf
    hedge.reset()
    assert hedge.statistics == Hedge().statistics


def test_decorated_functions_keep_their_name():
    @Hedge(10.0)
    def price(item: str) -> float:
        """Ask for a price."""
        return 1.0

    assert (price("tea"), price.__name__, price.__doc__) == (1.0, "price", "Ask for a price.")
    assert repr(Hedge()) == "Hedge('hedge', after p95 (late))"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"delay_s": -1.0}, "delay_s is -1.0"),
        ({"quantile": 95}, "quantile is 95, expected a number between 0 and 1"),
        ({"hedges": 0}, "hedges is 0"),
        ({"budget": 2.0}, "budget is 2.0"),
        ({"burst": 0.5}, "burst is 0.5"),
        ({"minimum_calls": 0}, "minimum_calls is 0"),
        ({"memory": 10}, "memory is 10"),
        ({"on": asyncio.CancelledError}, "on: CancelledError"),
    ],
)
def test_arguments_out_of_range_are_named(arguments, message):
    with pytest.raises(PolicyError) as caught:
        Hedge(**arguments)
    assert message in str(caught.value)


@pytest.mark.parametrize("on", [Exception, ValueError])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_race_that_was_lost_leaves_no_ring_of_references(on, asynchronous):
    class Held:
        pass

    seen = []

    def fail():
        held = Held()
        seen.append(weakref.ref(held))
        raise ConnectionError

    async def afail():
        fail()

    async def lose():  # within the loop: asyncio.run itself leaves a ring
        with suppress(ConnectionError):
            await hedge.acall(afail)
        await asyncio.sleep(0)

    hedge = Hedge(60.0, on=on)
    gc.disable()
    try:
        if asynchronous:
            asyncio.run(lose())
        with suppress(ConnectionError):
            asynchronous or hedge.call(fail)
        for thread in threading.enumerate():
            if thread.name.startswith("hedge-"):
                thread.join()
        assert len(seen) == (2 if on is Exception else 1)
        assert [each() for each in seen] == [None] * len(seen)
    finally:
        gc.enable()
