"""CoDel: against RFC 8289's own procedure over a queue, and its closed form for the times of drops."""

import math
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.reliability.machines import codel

TARGET_S, INTERVAL_S = 0.005, 0.1


class Rfc8289:
    """Section 5.5: a queue that is asked for the next packet, with loops and early returns as there."""

    def __init__(self):
        self.queue = deque()
        self.first_above = self.drop_next = 0.0
        self.count = self.lastcount = 0
        self.dropping = False
        self.dropped = []

    def dodequeue(self, now):
        if not self.queue:
            self.first_above = 0.0
            return None, False
        packet = self.queue.popleft()
        if now - packet[1] < TARGET_S or len(self.queue) <= 1:
            self.first_above = 0.0
            return packet, False
        if self.first_above == 0.0:
            self.first_above = now + INTERVAL_S
            return packet, False
        return packet, now >= self.first_above

    def control_law(self, t):
        return t + INTERVAL_S / math.sqrt(self.count)

    def dequeue(self, now):
        packet, ok_to_drop = self.dodequeue(now)
        if self.dropping:
            if not ok_to_drop:
                self.dropping = False
            while self.dropping and now >= self.drop_next:
                self.dropped.append(packet[0])
                self.count += 1
                packet, ok_to_drop = self.dodequeue(now)
                if not ok_to_drop:
                    self.dropping = False
                else:
                    self.drop_next = self.control_law(self.drop_next)
        elif ok_to_drop:
            self.dropped.append(packet[0])
            packet, _ = self.dodequeue(now)
            self.dropping = True
            delta = self.count - self.lastcount
            self.count = delta if delta > 1 and now - self.drop_next < 16 * INTERVAL_S else 1
            self.drop_next = self.control_law(now)
            self.lastcount = self.count
        return packet


class Machine:
    """The same queue, judged by the machine in both worlds."""

    def __init__(self, worlds):
        self.worlds = worlds
        self.queue = deque()
        self.dropped = []

    def dequeue(self, now):
        while self.queue:
            packet = self.queue.popleft()
            if not self.worlds.step(codel.judge, now, now - packet[1], len(self.queue), use=(0, 1)):
                return packet
            self.dropped.append(packet[0])
        self.worlds.step(codel.note_empty, use=(1,))
        return None


def make(both_worlds):
    return Rfc8289(), Machine(both_worlds(codel.Parameters(TARGET_S, INTERVAL_S), codel.State()))


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.0, 0.001, 0.004, 0.02, 0.05, 0.3, 2.0]), st.integers(0, 8), st.integers(0, 3)
        ),
        max_size=80,
    )
)
def test_the_same_calls_are_dropped_as_by_the_rfc(both_worlds, script):
    rfc, machine = make(both_worlds)
    now, number = 1.0, 0
    for gap_s, arrivals, departures in script:
        now += gap_s
        for _ in range(arrivals):
            number += 1
            rfc.queue.append((number, now))
            machine.queue.append((number, now))
        for _ in range(departures):
            assert rfc.dequeue(now) == machine.dequeue(now)
        assert rfc.dropped == machine.dropped
    s = machine.worlds.live[1]
    assert (s.count, s.last_count, s.drop_next_s, s.first_above_s, s.dropping, s.drops) == (
        rfc.count,
        rfc.lastcount,
        rfc.drop_next,
        rfc.first_above,
        rfc.dropping,
        len(rfc.dropped),
    )


def test_while_the_queue_is_bad_drops_come_at_intervals_over_the_square_root_of_their_number(both_worlds):
    """The first an interval after the wait was first too long, then after interval/sqrt(1), /sqrt(2)."""
    worlds = both_worlds(codel.Parameters(TARGET_S, INTERVAL_S), codel.State())
    drops, tick_s = [], 0.0005
    for tick in range(4000):
        now = 1.0 + tick * tick_s
        while worlds.step(codel.judge, now, 0.5, 1000, use=(0, 1)):
            drops.append(now)
    expected = [1.0 + INTERVAL_S]
    for count in range(1, len(drops)):
        expected.append(expected[-1] + INTERVAL_S / math.sqrt(count))
    assert len(drops) > 90
    assert drops == pytest.approx(expected, abs=2 * tick_s)


def test_a_burst_that_is_gone_within_an_interval_loses_no_call(both_worlds):
    worlds = both_worlds(codel.Parameters(TARGET_S, INTERVAL_S), codel.State())
    for burst in range(20):
        for tick in range(99):
            now = burst + tick * 0.001
            assert not worlds.step(codel.judge, now, 0.4, 98 - tick, use=(0, 1))


def test_a_queue_that_is_bad_again_soon_is_dropped_from_at_the_rate_it_had(both_worlds):
    worlds = both_worlds(codel.Parameters(TARGET_S, INTERVAL_S), codel.State())

    def keep_bad(from_s, ticks):
        return sum(
            worlds.step(codel.judge, from_s + tick * 0.001, 0.5, 99, use=(0, 1)) for tick in range(ticks)
        )

    keep_bad(1.0, 1000)
    before = worlds.live[1].count
    worlds.step(codel.judge, 2.1, 0.0, 99, use=(0, 1))
    keep_bad(2.2, 101)
    assert worlds.live[1].count == before - 1
    worlds.step(codel.judge, 3.0, 0.0, 99, use=(0, 1))
    keep_bad(60.0, 101)
    assert worlds.live[1].count == 1
