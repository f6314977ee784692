"""Pipelines of any number of layers: CPython compiles 20 nested blocks, and a layer has up to five."""

import ast
import asyncio

import pytest
from reliability.policies.every_policy import MAKERS

from workbench.backoff import Constant
from workbench.reliability.fusing.nesting import MOST_BLOCKS, block_depth
from workbench.reliability.pipeline import Pipeline
from workbench.reliability.pipelines.telemetry import instrument
from workbench.reliability.policies.breaker import CircuitBreaker
from workbench.reliability.policies.bulkhead import Bulkhead
from workbench.reliability.policies.deadline import Deadline
from workbench.reliability.policies.retry import Retry
from workbench.reliability.policies.timeout import Timeout

LAYERS = 10


async def alen(text):
    return len(text)


@pytest.mark.parametrize("name", sorted(MAKERS.keys() - {"pipeline", "hedge"}))
def test_a_policy_may_be_put_around_itself_over_and_over(name):
    pipeline = Pipeline(*[MAKERS[name]() for _ in range(LAYERS)])
    assert pipeline.call(len, "abc") == 3
    assert asyncio.run(pipeline(alen)("abc")) == 3


def test_one_policy_may_stand_in_many_places_and_counts_in_each():
    bulkhead = Bulkhead(LAYERS)
    pipeline = Pipeline(*[bulkhead] * LAYERS)
    assert pipeline.call(lambda: bulkhead.statistics.running) == LAYERS
    assert bulkhead.statistics.running == 0


def test_what_lies_deep_sees_the_same_as_what_lies_flat():
    """Three retries of three attempts around each other make 27 calls, with layers between them or not."""

    def calls_of(between):
        layers = [layer for _ in range(3) for layer in (Retry(attempts=3, backoff=Constant(0.0)), *between())]
        calls = []

        def fail():
            calls.append(1)
            raise ConnectionError

        with pytest.raises(ConnectionError):
            Pipeline(*layers).call(fail)
        return len(calls)

    deep = calls_of(lambda: (Deadline(60.0), CircuitBreaker(), Bulkhead(5), Timeout(60.0)))
    assert deep == calls_of(tuple) == 27


def test_explained_and_instrumented_pipelines_have_more_layers_and_work():
    pipeline = Pipeline(
        *[make() for name, make in MAKERS.items() if name not in {"hedge", "pipeline", "cache"}]
    )
    stop = instrument(pipeline)
    try:
        assert pipeline.call(len, "abc") == 3
        assert len(pipeline.explain(len, "abc").attempts) == 1
        assert len(asyncio.run(pipeline.aexplain(alen, "abc")).attempts) == 1
    finally:
        stop()


def test_few_layers_stay_one_function():
    pipeline = Pipeline(Deadline(1.0), Bulkhead(5), CircuitBreaker(), Retry())
    assert "def within" not in pipeline.source()
    assert "def within" in Pipeline(*[CircuitBreaker()] * 12).source()


@pytest.mark.parametrize(
    ("source", "depth"),
    [
        ("x = 1", 0),
        ("if x:\n  y = 1", 0),
        ("while x:\n  y = 1", 1),
        ("for x in y:\n  while z:\n    a = 1", 2),
        ("with x:\n  y = 1", 1),
        ("try:\n  x = 1\nfinally:\n  y = 1", 1),
        ("try:\n  x = 1\nexcept E:\n  y = 1", 1),
        ("try:\n  x = 1\nexcept E as e:\n  with y:\n    z = 1", 3),
        ("try:\n  while x: y = 1\nexcept E:\n  y = 1\nfinally:\n  z = 1", 3),
        ("def f():\n  while x:\n    y = 1", 0),
    ],
)
def test_blocks_are_counted_as_cpython_does(source, depth):
    assert block_depth(ast.parse(source).body) == depth


@pytest.mark.parametrize("opening", ["while x:", "with x:", "for x in y:", "try:"])
def test_no_more_than_the_most_blocks_and_a_layer_compile(opening):
    """What is counted is what CPython refuses: 20 blocks of one kind pass here, and 21 do not."""

    def nested(blocks):
        lines = [f"{' ' * number}{opening}" for number in range(blocks)] + [f"{' ' * blocks}pass"]
        if opening == "try:":
            lines += [f"{' ' * number}finally: pass" for number in reversed(range(blocks))]
        return "\n".join(lines)

    assert block_depth(ast.parse(nested(MOST_BLOCKS)).body) == MOST_BLOCKS
    compile(nested(MOST_BLOCKS + 5), "nested", "exec")
    with pytest.raises(SyntaxError, match="too many statically nested blocks"):
        compile(nested(25), "nested", "exec")
