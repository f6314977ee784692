"""`LoadShedder`: CoDel, adaptive LIFO, priorities, and fairness between keys."""

import asyncio
import math
import os
import sys
import threading
from collections import Counter

import pytest

from workbench.clock import VirtualClock, virtual_time
from workbench.reliability import Criticality, LoadShedder, LoadShedError, criticality
from workbench.reliability.policies.importance import current_criticality
from workbench.reliability.policy import PolicyError


class Load:
    """Calls of tasks on virtual time: each comes at a time, and takes a time once it runs."""

    def __init__(self, shedder):
        self.shedder, self.clock = shedder, shedder.clock
        self.served, self.shed, self.waits = [], [], {}

    async def call(self, at_s, name, service_s, level=None, key=None):
        await self.clock.asleep(at_s)

        async def body():
            self.served.append(name)
            self.waits[name] = self.clock.now() - at_s
            await self.clock.asleep(service_s)

        try:
            with criticality(level, key=key):
                await self.shedder.acall(body)
        except LoadShedError as error:
            self.shed.append(name)
            self.waits[name] = self.clock.now() - at_s
            self.reason = error.reason

    def run(self, *calls):
        async def main():
            await asyncio.gather(*(self.call(*call) for call in calls))

        with virtual_time():
            self.clock = self.shedder.clock
            asyncio.run(main())
        s = self.shedder.statistics
        assert (s.running, s.waiting) == (0, 0)
        assert s.waited == s.handed + s.shed + s.expired + s.cancelled
        assert len(self.shed) == s.shed + s.expired + s.rejected
        return self


def steady(rate_hz, duration_s, service_s, **more):
    return [
        (number / rate_hz, number, service_s, more.get("level"), more.get("key"))
        for number in range(int(rate_hz * duration_s))
    ]


def test_calls_run_as_they_are_while_there_are_places():
    shedder = LoadShedder(2)
    assert shedder(lambda x: x + 1)(1) == 2
    assert asyncio.run(shedder.acall(asyncio.sleep, 0, 7)) == 7
    assert shedder.statistics.waited == 0


def test_codel_sheds_nothing_while_the_load_can_be_served():
    load = Load(LoadShedder(1, queue=1000)).run(*steady(90, 20, 0.011))
    assert not load.shed


def test_codel_lets_a_burst_pass_that_is_gone_within_an_interval():
    load = Load(LoadShedder(1, queue=1000)).run(*[(1.0, number, 0.002) for number in range(45)])
    assert not load.shed
    assert load.served == list(range(45))


def test_codel_keeps_waits_short_under_a_load_that_cannot_be_served():
    """Without it the queue is full after a while, and all calls wait for all of it."""
    calls = steady(130, 30, 0.01)
    codel = Load(LoadShedder(1, queue=100, max_wait_s=None)).run(*calls)
    none = Load(LoadShedder(1, queue=100, max_wait_s=None, discipline="none")).run(*calls)
    late = [name for name in codel.served if name > 2000]
    assert codel.shedder.statistics.shed > 500
    assert sum(codel.waits[name] for name in late) / len(late) < 0.3
    assert none.waits[max(none.served)] == pytest.approx(1.0, abs=0.05)
    assert len(codel.served) >= 3000  # the callee is never idle


def test_codels_drops_come_faster_and_faster_by_its_control_law():
    """The k-th drop comes interval / sqrt(k) after the one before, in a queue that stays bad."""
    shedder = LoadShedder(1, queue=10**6, max_wait_s=None)
    load = Load(shedder)
    drops = []
    shedder.listen(lambda event: drops.append(event.at_s) if event.kind == "shed" else None)
    load.run(*[(0.0, number, 0.001) for number in range(3000)])
    law = [drops[0]]
    for count in range(1, len(drops)):
        law.append(law[-1] + 0.1 / math.sqrt(count))
    assert len(drops) > 50
    assert drops[0] == pytest.approx(0.106, abs=0.002)  # an interval after a call had waited for the target
    assert drops[:-1] == pytest.approx(law[:-1], abs=0.003)


def test_adaptive_lifo_serves_in_order_until_the_queue_has_not_been_empty_for_an_interval():
    calls = [(0.0, "runs", 0.15), *((0.01 * n, n, 0.02) for n in range(1, 15))]
    load = Load(LoadShedder(1, discipline="adaptive_lifo", interval_s=0.1)).run(*calls)
    assert load.served[1] > 4  # those that came first have waited for an interval, and are gone
    young = Load(LoadShedder(1, discipline="adaptive_lifo", interval_s=10.0)).run(*calls)
    assert young.served == ["runs", *range(1, 15)]


def test_adaptive_lifo_answers_some_in_time_where_a_queue_in_order_answers_all_too_late():
    calls = steady(200, 10, 0.01)
    lifo = Load(LoadShedder(1, queue=500, discipline="adaptive_lifo")).run(*calls)
    fifo = Load(LoadShedder(1, queue=500, discipline="none", max_wait_s=None)).run(*calls)
    in_time = [sum(load.waits[name] <= 0.1 for name in load.served if name > 1000) for load in (lifo, fifo)]
    assert in_time[0] > 400
    assert in_time[1] == 0
    assert max(lifo.waits.values()) <= 0.1 + 1e-9


def test_under_overload_a_call_waits_for_the_target_only():
    calls = [
        (0.0, "runs", 1.0),
        (0.05, "early", 0.1),
        (0.1, "keeps", 0.1),
        (0.14, "last", 0.1),
        (0.16, "late", 0.1),
    ]
    load = Load(LoadShedder(1, discipline="adaptive_lifo")).run(*calls)
    assert {name: round(wait_s, 6) for name, wait_s in load.waits.items() if name != "runs"} == {
        "early": 0.1,
        "keeps": 0.1,
        "last": 0.1,
        "late": 0.005,
    }


def test_the_more_important_is_served_first_and_takes_the_place_of_the_least():
    calls = [
        (0.0, "runs", 1.0),
        (0.1, "batch 1", 0.1, Criticality.SHEDDABLE),
        (0.2, "batch 2", 0.1, Criticality.SHEDDABLE),
        (0.3, "user", 0.1, Criticality.CRITICAL),
        (0.4, "payment", 0.1, Criticality.CRITICAL_PLUS),
        (0.5, "batch 3", 0.1, Criticality.SHEDDABLE),
    ]
    load = Load(LoadShedder(1, queue=3, discipline="none", max_wait_s=None)).run(*calls)
    assert load.served == ["runs", "payment", "user", "batch 2"]
    assert load.shed == ["batch 1", "batch 3"]


def test_keys_that_send_at_different_rates_are_served_alike():
    """One that sends ten times as much as another gets as much, not ten times as much."""
    calls = [(n / 1000, ("heavy", n), 0.01, None, "heavy") for n in range(5000)]
    calls += [(n / 100, ("light", n), 0.01, None, "light") for n in range(500)]
    for discipline in ("none", "codel"):
        load = Load(LoadShedder(1, queue=50, discipline=discipline)).run(*calls)
        served = Counter(name for name, number in load.served if number > 50)
        assert served["light"] == pytest.approx(served["heavy"], rel=0.15)
        shares = Counter(name for name, _ in load.shed)
        assert shares["heavy"] > 10 * shares["light"]


def test_a_key_that_sends_less_than_its_share_is_never_shed():
    calls = [(n / 1000, ("heavy", n), 0.01, None, "heavy") for n in range(5000)]
    calls += [(n / 20, ("light", n), 0.01, None, "light") for n in range(100)]
    load = Load(LoadShedder(1, queue=50)).run(*calls)
    assert not [name for name, _ in load.shed if name == "light"]
    assert max(wait_s for name, wait_s in load.waits.items() if name[0] == "light") < 0.05


def test_weights_give_keys_their_shares():
    calls = [(n / 500, (key, n), 0.01, None, key) for n in range(2000) for key in ("gold", "silver", "lead")]
    shedder = LoadShedder(1, queue=60, discipline="none", max_wait_s=None, weights={"gold": 3, "lead": 0.5})
    load = Load(shedder).run(*calls)
    served = Counter(name for name, number in load.served if 200 < number < 1900)
    assert served["gold"] / served["silver"] == pytest.approx(3, rel=0.1)
    assert served["lead"] / served["silver"] == pytest.approx(0.5, rel=0.1)


def test_a_full_queue_rejects_who_is_no_more_important_and_waits_are_limited():
    load = Load(LoadShedder(1, queue=1, max_wait_s=0.5, name="api"))
    load.run((0.0, "runs", 2.0), (0.1, "waits", 0.1), (0.2, "full", 0.1))
    assert load.shed == ["full", "waits"]
    assert load.waits["waits"] == pytest.approx(0.5)
    assert load.reason == "queued for 0.5 s"


def test_one_thread_on_virtual_time_waits_for_its_limit_and_is_shed():
    clock = VirtualClock()
    shedder = LoadShedder(1, clock=clock, name="api")
    with pytest.raises(LoadShedError, match="'api' dropped the call: queued for 1 s"):
        shedder.call(lambda: shedder.call(int))
    assert clock.now() == 1.0


def test_a_cancelled_call_leaves_its_flow():
    async def main():
        shedder = LoadShedder(1)
        release = asyncio.Event()
        first = asyncio.ensure_future(shedder.acall(release.wait))
        await asyncio.sleep(0)
        with criticality(key="a"):
            second = asyncio.ensure_future(shedder.acall(asyncio.sleep, 0))
        await asyncio.sleep(0)
        second.cancel("enough")
        with pytest.raises(asyncio.CancelledError, match="enough"):
            await second
        release.set()
        await first
        assert (shedder.statistics.running, shedder.statistics.waiting, shedder.statistics.cancelled) == (
            0,
            0,
            1,
        )

    asyncio.run(main())


@pytest.mark.parametrize("discipline", ["codel", "adaptive_lifo", "none"])
def test_hammering_threads_are_all_served_or_shed(discipline):
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    shedder = LoadShedder(2, queue=3, discipline=discipline, target_s=1e-5, interval_s=1e-3)
    served, shed, inside, together = [], [], [], threading.Barrier(8)

    def work():
        inside.append(1)
        assert len(inside) <= 2
        os.sched_yield()
        inside.pop()

    def hammer(number):
        together.wait()
        for _ in range(300):
            try:
                with criticality(number % 3, key=number):
                    shedder.call(work)
                served.append(1)
            except LoadShedError:
                shed.append(1)

    threads = [threading.Thread(target=hammer, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    sys.setswitchinterval(before)
    s = shedder.statistics
    assert len(served) + len(shed) == 2400
    assert len(shed) == s.shed + s.expired + s.rejected
    assert s.waited > 0
    assert (s.running, s.waiting) == (0, 0)


def test_reset_forgets_counts():
    shedder = LoadShedder(1, max_wait_s=0.0)
    with pytest.raises(LoadShedError):
        shedder.call(lambda: shedder.call(int))
    assert shedder.statistics.expired == 1
    shedder.reset()
    assert (shedder.statistics.expired, shedder.statistics.waited) == (0, 0)


@pytest.mark.parametrize(
    "arguments",
    [
        {"limit": 0},
        {"queue": -1},
        {"target_s": 0.0},
        {"interval_s": -1.0},
        {"max_wait_s": -1.0},
        {"discipline": "red"},
        {"weights": {"a": 0.0}},
    ],
)
def test_arguments_out_of_range_are_named(arguments):
    with pytest.raises(PolicyError, match=next(iter(arguments))):
        LoadShedder(**arguments)


def test_criticality_holds_for_its_block_and_nests():
    assert current_criticality() == (Criticality.CRITICAL, None)
    with criticality(Criticality.SHEDDABLE, key="a"):
        with criticality(Criticality.CRITICAL_PLUS):
            assert current_criticality() == (0, "a")
        with pytest.raises(ValueError, match="x"), criticality(key="b"):
            raise ValueError("x")  # noqa: EM101 - a test's own
        assert current_criticality() == (3, "a")
    assert current_criticality() == (1, None)


def test_it_and_its_statistics_show_themselves():
    shedder = LoadShedder(2, name="api")
    assert repr(shedder) == "LoadShedder('api', codel, 0/2 running, 0/100 waiting)"
    assert "<table>" in shedder.statistics._repr_html_()
