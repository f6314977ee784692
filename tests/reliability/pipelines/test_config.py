"""Pipelines from mappings and files, and back."""

import copy
import math
import pickle
from fractions import Fraction

import pytest
import yaml
from hypothesis import given
from reliability.pipelines.specs import LAYERS, specs

from workbench.backoff import Backoff, Exponential
from workbench.clock import VirtualClock
from workbench.reliability.errors import CircuitOpenError, ErrorClass
from workbench.reliability.pipeline import Pipeline
from workbench.reliability.pipelines._config_files import parse_spec
from workbench.reliability.pipelines._places import Place
from workbench.reliability.pipelines._registry import KINDS
from workbench.reliability.pipelines._values import read_duration
from workbench.reliability.pipelines.errors import ConfigError
from workbench.reliability.policies.adaptive import AdaptiveLimit
from workbench.reliability.policies.adaptive_algorithms import Gradient2
from workbench.reliability.policies.breaker import CircuitBreaker
from workbench.reliability.policies.budget import RetryBudget
from workbench.reliability.policies.chaos import Chaos
from workbench.reliability.policies.fallback import Fallback
from workbench.reliability.policies.limiter import RateLimiter
from workbench.reliability.policies.retry import Retry
from workbench.reliability.policies.timeout import Timeout

YAML = """
name: checkout
budgets:
  payments: {ratio: 0.1}
layers:
  - {kind: deadline, timeout_s: 2s}
  - kind: retry
    attempts: 4
    backoff: {kind: exponential, base_s: 100ms, cap_s: 1s}
    on: [ConnectionError, httpx.TimeoutException, ErrorClass.OVERLOAD]
    budget: payments
  - {kind: breaker, name: payments, consecutive: 5, open_s: 1m30s}
  - {kind: limiter.gcra, rate_hz: 1e2, burst: 20}
  - {kind: timeout, timeout_s: 250ms}
"""
TOML = """
name = "checkout"
[budgets.payments]
ratio = 0.1
[[layers]]
kind = "deadline"
timeout_s = "2s"
[[layers]]
kind = "retry"
attempts = 4
backoff = {kind = "exponential", base_s = "100ms", cap_s = "1s"}
on = ["ConnectionError", "httpx.TimeoutException", "ErrorClass.OVERLOAD"]
budget = "payments"
[[layers]]
kind = "breaker"
name = "payments"
consecutive = 5
open_s = "1m30s"
[[layers]]
kind = "limiter.gcra"
rate_hz = 100
burst = 20
[[layers]]
kind = "timeout"
timeout_s = "250ms"
"""


@pytest.mark.parametrize(
    ("name", "text"), [("a.yaml", YAML), ("a.yml", YAML), ("a.toml", TOML), ("a.YAML", YAML)]
)
def test_files_say_what_code_says(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    pipeline = Pipeline.from_file(tmp_path / name)
    assert repr(pipeline) == "Pipeline(deadline > retry > breaker 'payments' > limiter > timeout)"
    assert pipeline.name == "checkout"
    deadline, retry, breaker, limiter, timeout = pipeline
    assert (deadline.timeout_s, timeout.timeout_s) == (2.0, 0.25)
    assert (retry.attempts, retry.backoff) == (4, Exponential(0.1, cap_s=1.0))
    assert retry.budget.parameters.ratio == 0.1
    assert retry.retries_on(ConnectionError())
    assert not retry.retries_on(KeyError())
    assert (breaker.parameters.window, breaker.parameters.open_s) == (5, 90.0)
    assert (limiter.parameters.rate_hz, limiter.parameters.burst) == (100.0, 20.0)
    assert pipeline.call(len, "abc") == 3


@given(specs())
def test_a_specification_comes_back_from_the_pipeline_it_makes(spec):
    first = Pipeline.from_dict(spec).to_dict()
    second = Pipeline.from_dict(first)
    assert second.to_dict() == first
    for policy, layer in zip(second, spec["layers"], strict=True):
        for key in ("name", "attempts", "limit", "consecutive", "max_entries", "value"):
            if key in layer:
                written = first["layers"][spec["layers"].index(layer)]
                default = key not in written
                assert default or written[key] == layer[key]
        assert policy.name == layer.get("name", policy.name)


@given(specs())
def test_pipelines_that_are_read_twice_have_equal_machines(spec):
    """Parameters are equal number by number, also of the pipeline that was written and read again."""
    one = Pipeline.from_dict(spec)
    two = Pipeline.from_dict(one.to_dict())
    for a, b in zip(one, two, strict=True):
        assert type(a) is type(b)
        assert repr(a.parameters) == repr(b.parameters)
        assert a.layer() == b.layer()
        assert getattr(a, "failures", None) == getattr(b, "failures", None) or callable(a.judge)


class Quoting(yaml.SafeDumper):
    """Writes texts in quotes: PyYAML leaves some bare that are numbers in YAML 1.2, as 0E0."""


Quoting.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
)


@given(specs())
def test_what_is_written_survives_a_file(spec):
    written = Pipeline.from_dict(spec).to_dict()
    read = parse_spec(yaml.dump(written, Dumper=Quoting).encode(), "a.yaml")
    assert read == written
    assert Pipeline.from_dict(read).to_dict() == written


def test_yaml_and_toml_say_the_same():
    yaml_spec, toml_spec = parse_spec(YAML.encode(), "a.yaml"), parse_spec(TOML.encode(), "a.toml")
    assert Pipeline.from_dict(yaml_spec).to_dict() == Pipeline.from_dict(toml_spec).to_dict()


def test_every_kind_is_tested_here():
    assert set(LAYERS) == set(KINDS)


def test_budgets_that_layers_share_are_one():
    spec = {
        "budgets": {"b": {}},
        "layers": [{"kind": "retry", "budget": "b"}, {"kind": "retry", "budget": "b", "name": "2"}],
    }
    pipeline = Pipeline.from_dict(spec)
    assert pipeline[0].budget is pipeline[1].budget
    again = Pipeline.from_dict(pipeline.to_dict())
    assert again[0].budget is again[1].budget
    own = Pipeline(Retry(budget=RetryBudget()), Retry(budget=RetryBudget())).to_dict()
    assert list(own["budgets"]) == ["budget", "budget 2"]


def test_clock_and_generator_are_given_in_code():
    clock = VirtualClock()
    pipeline = Pipeline.from_dict({"layers": [{"kind": "retry", "budget": {}}]}, clock=clock)
    assert pipeline.clock is clock
    assert pipeline[0].budget.clock is clock
    assert pipeline.to_dict() == {
        "name": "pipeline",
        "budgets": {"budget": {"ratio": 0.2, "minimum_hz": 1.0, "burst": 10.0}},
        "layers": [{"kind": "retry", "budget": "budget"}],
    }


def test_what_code_made_is_written():
    pipeline = Pipeline(
        Fallback.value(len_like := "none"),
        Fallback([1]),
        Retry(on=(ConnectionError, ErrorClass.TIMEOUT), ignore={CircuitOpenError}),
        AdaptiveLimit(Gradient2(queue=8.0), queue=3),
        RateLimiter.fixed_window(rate_hz=10, burst=5),
        Chaos.error(0.5, error=(OSError, KeyError), seed=3),
        CircuitBreaker.consecutive(),
        Timeout(1.0, name="last"),
    )
    layers = pipeline.to_dict()["layers"]
    assert layers[0] == {"kind": "fallback", "value": len_like}
    assert layers[1] == {"kind": "fallback", "value": [1]}
    assert layers[2] == {
        "kind": "retry",
        "on": ["ConnectionError", "ErrorClass.TIMEOUT"],
        "ignore": ["CircuitOpenError"],
    }
    assert layers[3]["algorithm"]["queue"] == 8.0
    assert layers[3]["queue"] == 3
    assert layers[4] == {"kind": "limiter.fixed_window", "limit": 5.0, "window_s": 0.5}
    assert layers[5] == {"kind": "chaos.error", "error": ["OSError", "KeyError"], "rate": 0.5, "seed": 3}
    assert layers[6] == {"kind": "breaker", "consecutive": 5}
    assert layers[7] == {"kind": "timeout", "timeout_s": 1.0, "name": "last"}


class Mine(Retry):
    """A policy of a user's own."""


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (Retry(on=lambda error: True), r"layers\[0\]\.on: <function .*lambda.* cannot be written"),
        (
            Fallback(lambda: 1),
            r"layers\[0\]\.function: .*not found by a name; define it at the top of a module",
        ),
        (Fallback(object()), r"layers\[0\]\.value: <object .* cannot be written"),
        (Mine(), r"layers\[0\]: Mine cannot be written: no kind is it"),
        (Chaos.error(error=OSError("full")), r"layers\[0\]\.error: .* cannot be written"),
    ],
)
def test_what_cannot_be_written_is_named(policy, message):
    with pytest.raises(ConfigError, match=message):
        Pipeline(policy).to_dict()


def test_a_limiter_with_a_machine_of_ones_own_cannot_be_written_but_is_drawn():
    limiter = RateLimiter.gcra(rate_hz=1)
    limiter.machine = math
    with pytest.raises(ConfigError, match=r"layers\[0\]: .* made by none of gcra, token_bucket"):
        Pipeline(limiter).to_dict()
    assert "limiter" in Pipeline(limiter)._repr_html_()


def test_a_local_exception_cannot_be_written():
    class LocalError(Exception):
        pass

    with pytest.raises(ConfigError, match="not found by a name"):
        Pipeline(Retry(on=LocalError)).to_dict()


def wrong(layer):
    return {"layers": [{"kind": "timeout", "timeout_s": 1}, layer]}


@pytest.mark.parametrize(
    ("spec", "path", "problem"),
    [
        ([], "", "expected a pipeline as a mapping, got []"),
        ({}, "", "a pipeline needs the key 'layers'"),
        (
            {"layer": []},
            "",
            "a pipeline has no key 'layer', did you mean 'layers'? it has name, budgets, layers",
        ),
        ({"layers": {}}, "layers", "expected a list of layers"),
        ({"layers": [], "name": 3}, "name", "expected a text"),
        ({"layers": [], "budgets": ["b"]}, "budgets", "expected a mapping of names"),
        ({"layers": [], "budgets": {"b": {"rate": 1}}}, "budgets.b", "a budget has no key 'rate'"),
        ({"layers": [], "budgets": {"b": {"ratio": 7}}}, "budgets.b", "ratio is 7"),
        (wrong("retry"), "layers[1]", "expected a layer as a mapping with the key 'kind'"),
        (wrong({"attempts": 3}), "layers[1]", "with the key 'kind'"),
        (wrong({"kind": "retyr"}), "layers[1].kind", "no kind is named 'retyr', did you mean 'retry'?"),
        (wrong({"kind": ["retry"]}), "layers[1].kind", "no kind is named ['retry']"),
        (
            wrong({"kind": "retry", "atempts": 3}),
            "layers[1]",
            "has no key 'atempts', did you mean 'attempts'?",
        ),
        (wrong({"kind": "retry", "clock": 3}), "layers[1]", "has no key 'clock'"),
        (wrong({"kind": "retry", "attempts": 0}), "layers[1]", "attempts is 0"),
        (wrong({"kind": "retry", "attempts": "3"}), "layers[1]", "attempts is '3'"),
        (wrong({"kind": "retry", "name": 3}), "layers[1].name", "expected a text"),
        (wrong({"kind": "timeout"}), "layers[1]", "the kind 'timeout' needs 'timeout_s'"),
        (wrong({"kind": "timeout", "timeout_s": "2 parsecs"}), "layers[1].timeout_s", "expected a duration"),
        (wrong({"kind": "timeout", "timeout_s": True}), "layers[1].timeout_s", "expected a duration"),
        (wrong({"kind": "timeout", "timeout_s": -1}), "layers[1]", "timeout_s is -1"),
        (
            wrong({"kind": "retry", "backoff": "1s"}),
            "layers[1].backoff",
            "expected a mapping with kind constant",
        ),
        (
            wrong({"kind": "retry", "backoff": {"kind": "linear", "bas_s": 1}}),
            "layers[1].backoff",
            "'base_s'?",
        ),
        (
            wrong({"kind": "retry", "backoff": {"kind": "linear", "base_s": "x"}}),
            "layers[1].backoff.base_s",
            "duration",
        ),
        (
            wrong({"kind": "retry", "backoff": {"kind": "linear", "base_s": -1}}),
            "layers[1].backoff",
            "base_s is -1",
        ),
        (
            wrong({"kind": "retry", "budget": "b"}),
            "layers[1].budget",
            "no budget is named 'b'; there are none",
        ),
        (wrong({"kind": "retry", "on": "Oops"}), "layers[1].on", "no exception is named 'Oops'"),
        (wrong({"kind": "retry", "on": ["OSError", "len"]}), "layers[1].on[1]", "expected an exception"),
        (wrong({"kind": "retry", "on": ["no.such.Error"]}), "layers[1].on[0]", "no cannot be imported"),
        (wrong({"kind": "retry", "on": ["json.NoError"]}), "layers[1].on[0]", "no exception is named"),
        (wrong({"kind": "retry", "on": 3}), "layers[1].on", "expected the name of an exception"),
        (wrong({"kind": "retry", "on": "ErrorClass.SAD"}), "layers[1].on", "no ErrorClass is named 'SAD'"),
        (
            wrong({"kind": "retry", "on_result": "len"}),
            "layers[1].on_result",
            "expected a function as 'module:name'",
        ),
        (
            wrong({"kind": "retry", "on_result": "json:nothing"}),
            "layers[1].on_result",
            "json has no function 'nothing'",
        ),
        (wrong({"kind": "retry", "on_result": "no.such:f"}), "layers[1].on_result", "cannot be imported"),
        (
            wrong({"kind": "fallback", "value": 1, "function": "builtins:len"}),
            "layers[1]",
            "value and function are given",
        ),
        (wrong({"kind": "fallback"}), "layers[1]", "nothing to fall back to"),
        (wrong({"kind": "fallback", "by_type": {"Oops": 1}}), "layers[1].by_type", "no exception is named"),
        (
            wrong({"kind": "fallback", "value": Fraction(1, 2)}),
            "layers[1].value",
            "expected a text, a number",
        ),
        (
            wrong({"kind": "adaptive_limit", "algorithm": {"kind": "x"}}),
            "layers[1].algorithm",
            "kind gradient2",
        ),
        (
            wrong({"kind": "adaptive_limit", "algorithm": "aimd", "alpha": 3}),
            "layers[1]",
            "aimd has no option 'alpha'",
        ),
        (wrong({"kind": "breaker", "window": 3, "consecutive": 3}), "layers[1]", "expected one window"),
        (wrong({"kind": "breaker", "open_growth": "2"}), "layers[1]", "open_growth is '2'"),
        (wrong({"kind": "limiter.gcra", "rate_hz": 1, "limit": 3}), "layers[1]", "has no key 'limit'"),
    ],
)
def test_what_is_not_understood_is_an_error_that_says_where(spec, path, problem):
    before = copy.deepcopy(spec)
    with pytest.raises(ConfigError) as caught:
        Pipeline.from_dict(spec)
    error = caught.value
    assert error.path == path
    assert problem in error.problem
    assert str(error) == (f"{path}: {error.problem}" if path else error.problem)
    assert spec == before
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.path) == (str(error), error.path)


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("a.json", "{}", "expected a name that ends in .yaml, .yml or .toml, got 'a.json'"),
        ("a.yaml", "layers: [\n", "not YAML: line 2"),
        ("a.yaml", "name: a\nname: b\nlayers: []\n", "line 2, column 1: the key 'name' stands twice"),
        ("a.yaml", "3: a\n", "the key 3 is no text"),
        ("a.yaml", "!!python/object/apply:os.getcwd []\n", "not YAML"),
        ("a.yaml", "&a {name: *a}\n", "not YAML"),
        ("a.yaml", "", "expected a pipeline as a mapping, got None"),
        ("a.toml", "layers = \n", "not TOML: Invalid value (at line 1"),
        ("a.toml", "name = 1\nname = 2\n", "not TOML"),
        ("a.yaml", b"\xff\xfe", "it is not UTF-8"),
    ],
)
def test_files_that_are_not_understood_are_named(tmp_path, name, text, problem):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        Pipeline.from_file(path)
    assert caught.value.source == str(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert problem in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        Pipeline.from_file(tmp_path / "none.yaml")


def test_scalars_are_those_of_yaml_1_2():
    text = "{on: off, yes: no, a: 1e-3, b: 010, c: 1:30, d: .inf, e: true, f: ~, g: -.5, h: '1', i: "
    text += ", j: 2020-01-01}"
    assert parse_spec(text.encode(), "a.yaml") == {
        "on": "off",
        "yes": "no",
        "a": 0.001,
        "b": 10,
        "c": "1:30",
        "d": math.inf,
        "e": True,
        "f": None,
        "g": -0.5,
        "h": "1",
        "i": None,
        "j": "2020-01-01",
    }


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", 0.25),
        ("2s", 2.0),
        ("1m30s", 90.0),
        ("1.5 h", 5400.0),
        ("1 d 2h", 93600.0),
        ("10us", 1e-5),
        ("10µs", 1e-5),
        ("3min", 180.0),
        ("7ns", 7e-9),
        ("inf", math.inf),
        (3, 3),
        (0.1, 0.1),
        (None, None),
    ],
)
def test_durations(text, seconds):
    assert read_duration(text, Place()) == (None if seconds is None else pytest.approx(seconds, rel=1e-15))


@pytest.mark.parametrize("text", ["", "s", "1", "-1s", "1 s 2", "1sec", "1s,2s", "\u0661s", [], False, "ms1"])
def test_what_is_no_duration(text):
    with pytest.raises(ConfigError, match="expected a duration"):
        read_duration(text, Place())


def test_a_backoff_of_ones_own_is_not_written():
    class Never(Backoff):
        base_s = cap_s = 0.0
        jitter = "none"

        def raw_s(self, retry):
            return 0.0

        def delay_s(self, retry, u, previous_s=0.0):
            return 0.0

    retry = Retry(backoff=Exponential())
    retry.made_with = (), {"backoff": Never()}
    with pytest.raises(
        ConfigError, match=r"layers\[0\]\.backoff: .* there are constant, linear, exponential"
    ):
        Pipeline(retry).to_dict()


def test_a_delay_that_is_a_function_is_not_written():
    with pytest.raises(ConfigError, match=r"layers\[0\]\.delay_s: .* cannot be written"):
        Pipeline(Chaos.latency(delay_s=lambda u: u)).to_dict()
