"""`AdaptiveLimit`: the limit settles where queueing begins, live on virtual time."""

import asyncio
import inspect
import os
import sys
import threading

import pytest

from workbench.clock import VirtualClock, virtual_time
from workbench.reliability import AIMD, AdaptiveLimit, Gradient2, LoadShedError, Vegas
from workbench.reliability.policy import PolicyError


class Callee:
    """A service of so many workers, with a queue in front of them, as an asyncio program on virtual time."""

    def __init__(self, workers, service_s, clock):
        self.service_s, self.clock = service_s, clock
        self.workers = asyncio.Semaphore(workers)
        self.most = self.inside = 0

    async def call(self):
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            async with self.workers:
                await self.clock.asleep(self.service_s)
        finally:
            self.inside -= 1


def drive(limit, *, workers, service_s=0.05, clients=120, duration_s=15.0, pause_s=0.1):
    """Let clients that always want something call the service; return calls served and shed."""
    counts = {"served": 0, "shed": 0}

    async def main(clock):
        callee = Callee(workers, service_s, clock)

        async def client():
            while clock.now() < duration_s:
                try:
                    await limit.acall(callee.call)
                    counts["served"] += 1
                except LoadShedError:
                    counts["shed"] += 1
                    await clock.asleep(pause_s)

        await asyncio.gather(*(client() for _ in range(clients)))
        return callee

    with virtual_time() as clock:
        callee = asyncio.run(main(clock))
    assert (limit.statistics.running, limit.statistics.waiting) == (0, 0)
    return counts, callee


def test_it_keeps_the_signature_and_passes_results_and_exceptions():
    @AdaptiveLimit()
    def half(number: int) -> float:
        """Halve."""
        return number / 2

    assert (half(4), half.__name__, half.__doc__) == (2.0, "half", "Halve.")
    assert str(inspect.signature(half)) == "(number: int) -> float"
    limit, error = AdaptiveLimit(), KeyError("x")

    def fail():
        raise error

    with pytest.raises(KeyError) as raised:
        limit.call(fail)
    assert raised.value is error
    assert limit.statistics.running == 0


@pytest.mark.parametrize("workers", [20, 40])
def test_gradient2_settles_where_calls_queue_for_half_of_their_time(workers):
    """With rtt = service limit / workers, limit (1 - 1.5 service / rtt) = 4 at limit = 1.5 workers + 4."""
    limit = AdaptiveLimit("gradient2", window_s=0.1, maximum=1000, long_window=10**9, warmup=5)
    counts, callee = drive(limit, workers=workers)
    assert limit.limit == pytest.approx(1.5 * workers + 4, rel=0.12)
    assert callee.most < 120
    assert counts["served"] > 0.9 * workers / 0.05 * 15
    assert counts["shed"] > 0


def test_vegas_settles_a_few_calls_above_the_workers():
    limit = AdaptiveLimit("vegas", window_s=0.1, probe=10**6)
    drive(limit, workers=40)
    assert 40 <= limit.limit <= 40 + 6 + 1


def test_aimd_settles_below_where_calls_time_out():
    limit = AdaptiveLimit("aimd", window_s=0.1, timeout_s=0.1, minimum=1)
    drive(limit, workers=40)
    assert 0.9**2 * 80 - 2 <= limit.limit <= 82  # a window late, it may shrink twice


def test_dropped_calls_lower_aimd_and_vegas_and_say_nothing_to_gradient2():
    for algorithm, lowered in (("aimd", 90), ("vegas", 98), ("gradient2", 100)):
        clock = VirtualClock(1.0)
        limit = AdaptiveLimit(algorithm, window_s=0, initial=100, minimum=1, maximum=1000, clock=clock)

        def slow(seconds, error=None, clock=clock):
            clock.sleep(seconds)
            if error:
                raise error

        limit.call(slow, 0.1)
        with pytest.raises(TimeoutError):
            limit.call(slow, 0.1, TimeoutError())
        assert limit.limit == lowered
        with pytest.raises(ValueError, match="ours"):
            limit.call(slow, 0.1, ValueError("ours"))
        assert limit.limit == lowered
        assert limit.statistics.updates == 2


def test_which_exceptions_are_drops_can_be_said():
    clock = VirtualClock(1.0)
    limit = AdaptiveLimit(
        "aimd", window_s=0, initial=100, minimum=1, clock=clock, on=(KeyError, ZeroDivisionError)
    )

    def fail(error):
        clock.sleep(0.1)
        raise error

    for error, expected in ((KeyError(), 90), (TimeoutError(), 90), (ZeroDivisionError(), 81)):
        with pytest.raises(type(error)):
            limit.call(fail, error)
        assert limit.limit == expected


def test_calls_shorter_than_the_least_time_are_not_learnt_from():
    clock = VirtualClock(1.0)
    limit = AdaptiveLimit(window_s=0, clock=clock)
    limit.call(clock.sleep, 0.00005)
    assert limit.statistics.updates == 0
    limit.call(clock.sleep, 0.0005)
    assert limit.statistics.updates == 1


def test_a_window_needs_its_time_and_its_samples():
    clock = VirtualClock(100.0)
    limit = AdaptiveLimit(window_s=1.0, least=3, clock=clock)
    for _ in range(10):
        limit.call(clock.sleep, 0.25)  # a window of 4, from the second on
    assert limit.statistics.updates == 2
    for _ in range(10):
        limit.call(clock.sleep, 0.9)  # a window of 2
    assert limit.statistics.updates == 2


def test_one_call_too_many_is_shed_at_once_without_a_queue():
    limit = AdaptiveLimit("aimd", initial=1, minimum=1, name="db")
    with pytest.raises(LoadShedError, match="'db' dropped the call: 1 calls at once"):
        limit.call(lambda: limit.call(int))
    assert limit.statistics.rejected == 1


def test_a_higher_limit_lets_those_in_that_wait():
    async def main():
        limit = AdaptiveLimit("aimd", initial=2, minimum=1, queue=5, window_s=0, max_wait_s=100.0)
        started, stops = [], [asyncio.Event() for _ in range(5)]

        async def work(number):
            started.append(number)
            await stops[number].wait()

        tasks = [asyncio.ensure_future(limit.acall(work, number)) for number in range(5)]
        await clock.asleep(1.0)
        assert started == [0, 1]
        stops[0].set()
        await clock.asleep(1.0)
        assert limit.limit == 3
        assert started == [0, 1, 2, 3]  # the place that became free, and the new one
        stops[1].set()
        await clock.asleep(1.0)
        assert started == [0, 1, 2, 3, 4]
        for stop in stops:
            stop.set()
        await asyncio.gather(*tasks)
        assert (limit.statistics.running, limit.statistics.waiting) == (0, 0)

    with virtual_time() as clock:
        asyncio.run(main())


def test_a_lower_limit_lets_nobody_in_until_enough_have_left():
    async def main():
        limit = AdaptiveLimit("aimd", initial=4, minimum=1, backoff=0.5, queue=5, window_s=0, max_wait_s=None)
        started, stops = [], [asyncio.Event() for _ in range(6)]

        async def work(number):
            started.append(number)
            await stops[number].wait()
            if number == 0:
                raise TimeoutError

        tasks = [asyncio.ensure_future(limit.acall(work, number)) for number in range(6)]
        await clock.asleep(1.0)
        stops[0].set()  # its place is handed on before it is known that it was dropped
        await clock.asleep(1.0)
        assert (limit.limit, limit.statistics.running, started) == (2, 4, [0, 1, 2, 3, 4])
        limit.sampling.min_rtt_s = 1e9  # learn no more
        stops[1].set()
        stops[2].set()
        await clock.asleep(1.0)
        assert (limit.statistics.running, limit.statistics.waiting) == (2, 1)
        stops[3].set()
        await clock.asleep(1.0)
        assert started == [0, 1, 2, 3, 4, 5]
        for stop in stops:
            stop.set()
        with pytest.raises(TimeoutError):
            await asyncio.gather(*tasks)
        await asyncio.gather(*tasks, return_exceptions=True)
        assert (limit.statistics.running, limit.statistics.waiting) == (0, 0)

    with virtual_time() as clock:
        asyncio.run(main())


def test_waits_end_at_their_limit_and_cancellation_passes():
    async def main():
        limit = AdaptiveLimit("aimd", initial=1, minimum=1, queue=5)
        first = asyncio.ensure_future(limit.acall(asyncio.Event().wait))
        await asyncio.sleep(0)
        with pytest.raises(LoadShedError, match="no place within 1 s"):
            await limit.acall(asyncio.sleep, 0)
        assert clock.now() == 1.0
        first.cancel("enough")
        with pytest.raises(asyncio.CancelledError, match="enough"):
            await first
        assert (limit.statistics.running, limit.statistics.updates, limit.statistics.expired) == (0, 0, 1)

    with virtual_time() as clock:
        asyncio.run(main())


def test_hammering_threads_never_exceed_the_greatest_limit_and_counts_are_exact():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    limit = AdaptiveLimit("aimd", initial=2, minimum=2, maximum=4, queue=50, window_s=0, min_rtt_s=1e-9)
    inside, most, served = [], [0], []

    def work():
        inside.append(1)
        most[0] = max(most[0], len(inside))
        os.sched_yield()
        inside.pop()

    def hammer():
        for _ in range(400):
            limit.call(work)
            served.append(1)

    threads = [threading.Thread(target=hammer) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    sys.setswitchinterval(before)
    assert len(served) == 3200
    assert most[0] <= 4
    assert (limit.statistics.running, limit.statistics.waiting) == (0, 0)
    assert 0 < limit.statistics.updates <= 3200


def test_a_history_records_the_limit_and_draws_it(tmp_path):
    limit = AdaptiveLimit(window_s=0.1, name="the $callee$")
    with limit.record() as history:
        drive(limit, workers=40, duration_s=5.0)
    assert len(history) == limit.statistics.updates > 5
    assert not limit.listening
    recorded = len(history)
    limit.reset()
    drive(limit, workers=40, duration_s=3.0)
    assert limit.statistics.updates > 0
    assert len(history) == recorded
    table = history.to_arrow()
    assert table.column_names == ["at_s", "limit", "rtt_s", "inflight"]
    assert table["limit"].to_pylist()[0] >= 20
    assert history.to_pandas().shape == (len(history), 4)
    axes = history.plot()
    assert axes.get_xlabel() == "time, s"
    assert history.plot(axes) is axes
    axes.figure.savefig(tmp_path / "limit.png")
    assert repr(history).startswith("LimitHistory('the $callee$', ")
    assert "<table>" in history._repr_html_()


def test_a_history_of_nothing_draws_the_first_limit():
    history = AdaptiveLimit().record()
    assert (len(history), len(history.to_arrow())) == (0, 0)
    assert history.plot().get_title("left").endswith("from 20 to 20")


def test_reset_begins_anew():
    limit = AdaptiveLimit("aimd", window_s=0, min_rtt_s=1e-9, initial=1, minimum=1)
    limit.call(int)
    assert limit.limit == 2
    limit.reset()
    assert (limit.limit, limit.statistics.updates, limit.statistics.rtt_s) == (1, 0, 0.0)


def test_algorithms_are_given_by_name_or_as_objects():
    assert AdaptiveLimit("vegas", maximum=50).algorithm == AdaptiveLimit(Vegas(maximum=50)).algorithm
    assert AdaptiveLimit().algorithm == Gradient2()
    assert AdaptiveLimit(AIMD(initial=30)).limit == 30


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"algorithm": "cubic"}, "algorithm"),
        ({"alpha": 3}, "gradient2 has no option 'alpha'"),
        ({"algorithm": Vegas(), "alpha": 3}, "alpha"),
        ({"initial": 5}, "initial"),
        ({"minimum": 0}, "minimum"),
        ({"maximum": 10}, "maximum"),
        ({"tolerance": 0.9}, "tolerance"),
        ({"smoothing": 0.0}, "smoothing"),
        ({"queue": -1}, "queue"),
        ({"algorithm": "aimd", "backoff": 1.0}, "backoff"),
        ({"algorithm": "vegas", "beta": 2}, "beta"),
        ({"window_s": -1.0}, "window_s"),
        ({"least": 0}, "least"),
        ({"min_rtt_s": 0.0}, "min_rtt_s"),
        ({"order": "random"}, "order"),
    ],
)
def test_arguments_out_of_range_are_named(arguments, named):
    with pytest.raises(PolicyError, match=named):
        AdaptiveLimit(**arguments)


def test_it_and_its_statistics_show_themselves():
    limit = AdaptiveLimit(name="db")
    assert repr(limit) == "AdaptiveLimit('db', Gradient2, 0/20 running)"
    assert repr(limit.statistics).startswith("AdaptiveLimitStatistics(limit=20, ")
    assert "<table>" in limit.statistics._repr_html_()


def test_a_history_is_drawn_from_when_it_began():
    """A clock's own zero is nobody's business: it may be when the machine started."""
    limit = AdaptiveLimit("aimd", window_s=0, clock=VirtualClock(5000.0))
    with limit.record() as history:
        limit.call(limit.clock.sleep, 2.0)
    (line, *_) = history.plot().lines
    assert line.get_xdata().tolist() == [0.0, 2.0]
    assert history.to_arrow()["at_s"].to_pylist() == [5002.0]
