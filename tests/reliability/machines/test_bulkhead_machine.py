"""The counting of places: against a plain twin that keeps lists, interpreted and compiled."""

from hypothesis import given
from hypothesis import strategies as st

from workbench.reliability.machines import bulkhead as machine

STEPS = ("enter", "take", "leave", "expire", "shed", "give_up", "displace", "raise", "lower")


class Twin:
    """Calls by name in two lists."""

    def __init__(self, limit, queue):
        self.limit, self.queue = limit, queue
        self.running, self.waiting, self.names = [], [], iter(range(10**9))

    def enter(self):
        name = next(self.names)
        if len(self.running) < self.limit:
            self.running.append(name)
            return machine.RUNS
        if len(self.waiting) < self.queue:
            self.waiting.append(name)
            return machine.WAITS
        return machine.REJECTED

    def leave(self):
        del self.running[0]
        self.fill()

    def fill(self):
        while self.waiting and len(self.running) < self.limit:
            self.running.append(self.waiting.pop(0))


@given(
    limit=st.integers(1, 4),
    queue=st.integers(0, 4),
    steps=st.lists(st.sampled_from(STEPS), max_size=60),
)
def test_places_are_counted_as_lists_of_calls_would_be_in_both_worlds(both_worlds, limit, queue, steps):  # noqa: C901 - one step each
    worlds = both_worlds(machine.Parameters(limit, queue), machine.State())
    p, s = worlds.live
    twin = Twin(limit, queue)
    rejected = 0
    for step in steps:
        if step == "enter":
            decision = twin.enter()
            rejected += decision == machine.REJECTED
            assert worlds.step(machine.enter, use=(0, 1)) == decision
        elif step == "take":
            free = len(twin.running) < twin.limit
            assert worlds.step(machine.take, use=(0, 1)) == free
            if free:
                twin.enter()
        elif step == "leave" and twin.running:
            awaited = bool(twin.waiting)
            assert worlds.step(machine.leave, use=(1,)) == awaited
            if awaited:
                worlds.step(machine.hand_on, use=(0, 1))
            twin.leave()
        elif step in ("expire", "shed", "give_up") and twin.waiting:
            worlds.step(getattr(machine, step), use=(1,))
            del twin.waiting[-1]
        elif step == "displace" and twin.waiting and len(twin.waiting) == queue and rejected:
            worlds.step(machine.displace, use=(1,))
        elif step in ("raise", "lower"):
            twin.limit = max(1, twin.limit + (1 if step == "raise" else -1))
            _set_limit(worlds, twin.limit)
            while worlds.step(machine.promote, use=(0, 1)):
                pass
            twin.fill()
        assert (s.running, s.waiting) == (len(twin.running), len(twin.waiting))
        assert s.waiting == 0 or s.running >= p.limit
        assert s.waited == s.waiting + s.handed + s.expired + s.shed + s.cancelled


def _set_limit(worlds, limit):
    worlds.live[0].limit = limit
    worlds._records[0]["limit"] = limit
