"""`ASYNC` in a layer is whether what is called is awaited; the other branch is not there at all."""

import asyncio

from workbench.clock import SYSTEM_CLOCK
from workbench.reliability.fusing.layers import Layer
from workbench.reliability.policy import Policy


def note_world(q, proceed):
    notes = q.notes
    if ASYNC:  # noqa: F821 - a constant of every layer
        notes.append("async")
    else:
        notes.append("sync")
    result = proceed()  # noqa: F841 - what all layers share


class Noting(Policy):
    def __init__(self):
        self.notes = []
        super().__init__(clock=SYSTEM_CLOCK)

    def layer(self):
        return Layer(note_world)


def test_a_layer_can_ask_for_its_world():
    policy = Noting()

    async def answer():
        return 42

    assert policy.call(lambda: 41) == 41
    assert asyncio.run(policy.acall(answer)) == 42
    assert policy.notes == ["sync", "async"]


def test_the_other_world_leaves_no_trace():
    function = Noting()(lambda: None)
    assert "async" not in function.__code__.co_consts
    assert "sync" in function.__code__.co_consts
